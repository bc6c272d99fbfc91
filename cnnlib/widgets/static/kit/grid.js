// A grid of numbers on tones: one tab stop, arrows inside, cells that can be hovered, dragged and typed into.
import { short, parse } from "./text.js";
import { css, inkOn } from "./scale.js";
import { element } from "./dom.js";

// options: part, role, label, signal; hands, all optional: enter(k), leave(), choose(k), move(k), edit(k, value, phase).
// edit's phase is "drag", "drop" or "type"; a grid without edit cannot be changed.
function grid(options) {
  const { part, signal } = options;
  const cells = element("div", { class: "cw-cells", role: "grid", "data-part": part, "aria-label": options.label || part, "aria-readonly": options.edit ? null : "true" });
  const top = element("div", { class: "cw-cols", "aria-hidden": "true" });
  const side = element("div", { class: "cw-rows", "aria-hidden": "true" });
  const box = element("div", { class: `cw-grid cw-${options.role}` }, top, side, cells);
  const frames = new Map(), marks = new Map();
  const me = { element: box, cells, rows: 0, cols: 0, origin: [0, 0], at: 0, content: null, rewritten: 0 };
  const fresh = new Map();                           // edited, not yet drawn: keys can be faster than frames
  const value = (k) => fresh.get(k) ?? me.content.data[k];
  let list = [], seen = [];

  function build(rows, cols) {
    cells.replaceChildren();
    frames.clear();
    marks.clear();
    [list, seen] = [[], []];
    for (let i = 0; i < rows; i++) {
      const row = element("div", { role: "row" });
      for (let j = 0; j < cols; j++) {
        const cell = element("div", { role: "gridcell", class: "cw-cell", tabindex: -1 });
        cell.place = list.length;
        list.push(cell);
        row.append(cell);
      }
      cells.append(row);
    }
    box.style.setProperty("--cols", cols);
    box.style.setProperty("--rows", rows);
    [me.rows, me.cols] = [rows, cols];
    me.at = Math.min(me.at, list.length - 1);
    if (list.length) list[me.at].tabIndex = 0;
  }

  // content: { rows, cols, origin, data, scale, decimals, text(k), state(k), name(k) }; the last three optional.
  me.show = (content) => {
    if (content.rows !== me.rows || content.cols !== me.cols) build(content.rows, content.cols);
    me.content = content;
    fresh.clear();
    me.origin = content.origin || [0, 0];
    indices();
    for (let k = 0; k < list.length; k++) paint(k);
    cells.dataset.rewritten = me.rewritten;
  };

  function indices() {
    const [r, c] = me.origin, key = `${me.rows},${me.cols},${r},${c}`;
    if (box.dataset.indices === key) return;
    box.dataset.indices = key;
    const numbers = (n, first) => [...Array(n).keys()].map((i) => element("span", {}, String(first + i).replace("-", "\u2212")));
    top.replaceChildren(...numbers(me.cols, c));
    side.replaceChildren(...numbers(me.rows, r));
    list.forEach((cell, k) => { cell.dataset.at = `${r + Math.floor(k / me.cols)},${c + (k % me.cols)}`; });
    seen = [];
  }

  function paint(k) {
    const { data, scale, decimals, text, state, name } = me.content;
    const kind = state ? state(k) : "";
    const hidden = kind.includes("hidden");
    const words = hidden ? "?" : text ? text(k) : short(data[k], decimals);
    const rgb = hidden || !scale ? null : scale.rgb(data[k]);
    const key = `${words}|${rgb}|${kind}`;
    if (seen[k] === key) return;
    seen[k] = key;
    me.rewritten += 1;
    const cell = list[k];
    cell.textContent = words;
    cell.className = `cw-cell ${kind}`;
    for (const [mark, places] of marks) if (places.includes(k)) cell.classList.add(mark);
    cell.style.background = rgb ? css(rgb) : "";
    cell.style.color = rgb ? inkOn(rgb) : "";
    cell.setAttribute("aria-label", `row ${cell.dataset.at.replace(",", ", column ")}: ${name ? name(k) : words}`);
  }

  // Give the class `mark` to these cells and to no others.
  me.mark = (mark, places) => {
    const before = marks.get(mark) || [];
    for (const k of before) if (!places.includes(k)) list[k]?.classList.remove(mark);
    for (const k of places) if (!before.includes(k)) list[k]?.classList.add(mark);
    marks.set(mark, places.filter((k) => list[k]));
  };

  // A frame round { row, col, rows, cols }, in cells of this grid; null takes it away.
  me.frame = (kind, place) => {
    let frame = frames.get(kind);
    if (!frame) {
      frame = element("div", { class: `cw-frame cw-frame-${kind}`, "aria-hidden": "true" });
      frames.set(kind, frame);
      cells.append(frame);
    }
    frame.hidden = !place;
    if (place) frame.style.cssText = `--r:${place.row};--c:${place.col};--h:${place.rows};--w2:${place.cols}`;
  };

  // Make k the tab stop; with `take`, give it the focus too.
  me.point = (k, take = false) => {
    if (!list[k]) return;
    if (list[me.at]) list[me.at].tabIndex = -1;
    me.at = k;
    list[k].tabIndex = 0;
    if (take) list[k].focus({ preventScroll: false });
  };
  me.hasFocus = () => cells.contains(cells.getRootNode().activeElement);
  me.typing = () => cells.querySelector("input") !== null;

  const cellOf = (event) => event.target.closest?.(".cw-cell");
  cells.addEventListener("pointerover", (event) => { const cell = cellOf(event); if (cell && options.enter) options.enter(cell.place); }, { signal });
  cells.addEventListener("pointerleave", () => options.leave?.(), { signal });
  cells.addEventListener("focusin", (event) => { const cell = cellOf(event); if (cell) { me.point(cell.place); options.focus?.(cell.place); } }, { signal });
  cells.addEventListener("focusout", () => options.leave?.(), { signal });
  cells.addEventListener("click", (event) => { const cell = cellOf(event); if (cell && !cell.querySelector("input")) options.choose?.(cell.place); }, { signal });
  cells.addEventListener("dblclick", (event) => { const cell = cellOf(event); if (cell && options.edit) type(cell.place, ""); }, { signal });
  cells.addEventListener("keydown", (event) => keydown(event), { signal });
  if (options.edit) cells.addEventListener("pointerdown", (event) => drag(event), { signal });

  function keydown(event) {
    const cell = cellOf(event);
    if (!cell || event.target !== cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const k = cell.place, row = Math.floor(k / me.cols), col = k % me.cols;
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -col], End: [0, me.cols - 1 - col] };
    if (steps[event.key]) {
      const [r, c] = [row + steps[event.key][0], col + steps[event.key][1]];
      event.preventDefault();
      if (r < 0 || c < 0 || r >= me.rows || c >= me.cols) return;
      me.point(r * me.cols + c, true);
      options.move?.(me.at);
    } else if (options.edit && editable(k) && !event.shiftKey && (event.key === "Enter" || event.key === "F2")) {
      event.preventDefault();
      type(k, "");
    } else if (options.edit && editable(k) && /^[\d.]$/.test(event.key)) {
      event.preventDefault();
      type(k, event.key);
    } else if (options.edit && editable(k) && /^[+=\-\u2212_]$/.test(event.key)) {
      event.preventDefault();
      const sign = "+=".includes(event.key) ? 1 : -1;
      change(k, round(value(k) + sign * step() * (event.shiftKey && event.key !== "+" || event.key === "_" ? 10 : 1)), "type");
    } else if (event.key === "Enter" && !event.shiftKey && options.choose) {
      event.preventDefault();
      options.choose(k);
    }
  }

  const change = (k, x, phase) => { fresh.set(k, x); options.edit(k, x, phase); };
  const editable = (k) => !list[k].classList.contains("pad");
  const step = () => (me.content.decimals ? 0.1 : 1);
  const round = (x) => Math.round(x * 1e6) / 1e6;

  function type(k, typed) {
    if (!editable(k)) return;
    const cell = list[k];
    const field = element("input", { class: "cw-type", inputmode: "decimal", "aria-label": `number for ${cell.getAttribute("aria-label").split(":")[0]}` });
    field.value = typed || String(round(value(k))).replace("-", "\u2212");
    cell.replaceChildren(field);
    field.focus();
    if (typed) field.setSelectionRange(1, 1); else field.select();
    let open = true;
    const close = (keep) => {
      if (!open) return;
      open = false;
      const back = cell.contains(field.getRootNode().activeElement), number = parse(field.value);
      seen[k] = null;
      paint(k);
      if (back) cell.focus();
      if (keep && number !== null && !Object.is(number, value(k))) change(k, number, "type");
    };
    field.addEventListener("keydown", (event) => {
      if (event.shiftKey && event.key === "Enter") return;
      if (event.key === "Enter" || event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(event.key === "Enter"); }
    });
    field.addEventListener("blur", () => close(true));
  }

  // Drag right or up to make a number larger: eight pixels a step.
  function drag(event) {
    const cell = cellOf(event);
    if (!cell || !editable(cell.place) || event.button || cell.querySelector("input")) return;
    const k = cell.place, start = value(k) || 0, { clientX, clientY, pointerId } = event;
    let last = start, moved = false;
    const stop = new AbortController();
    const move = (e) => {
      if (e.pointerId !== pointerId) return;
      const x = round(start + step() * Math.round((e.clientX - clientX - (e.clientY - clientY)) / 8));
      if (x === last) return;
      if (!moved) cells.setPointerCapture(pointerId);
      [last, moved] = [x, true];
      change(k, x, "drag");
    };
    const end = () => {
      stop.abort();
      if (moved) change(k, last, "drop");
    };
    cells.addEventListener("pointermove", move, { signal: stop.signal });
    for (const name of ["pointerup", "pointercancel"]) cells.addEventListener(name, end, { signal: stop.signal });
    window.addEventListener("pointerup", end, { signal: stop.signal });
  }
  return me;
}

export { grid };
