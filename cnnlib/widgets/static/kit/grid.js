// A grid of numbers on tones: one tab stop, arrows inside, cells that can be hovered, dragged and typed into.
import { short, parse } from "./text.js";
import { css, inkOn } from "./scale.js";
import { element, div, on, arrow, active, textWidth } from "./dom.js";
import { ceil, floor, max, min, round } from "./numbers.js";

const LEGIBLE = 24;                                  // pixels; a smaller cell shows no number
const PRINT = 11;                                    // pixels; the smallest print
const EDGE = 4;                                      // pixels that a ring or a frame takes at each side of a cell
const CLOSER = 0.07;                                 // of the print: so much closer stand the glyphs where room is short

// options: part, role, label, signal; hands, all optional: enter(k), leave(), focus(k), choose(k), move(k), edit(k, value, phase).
// edit's phase is "drag", "drop" or "type"; a grid without edit cannot be changed.
function grid(options) {
  const { part, signal } = options;
  const cells = element("div.cw-cells", { role: "grid", "data-part": part, "aria-label": options.label || part, "aria-readonly": options.edit ? null : "true" });
  const top = element("div.cw-cols", { "aria-hidden": "true" });
  const side = element("div.cw-rows", { "aria-hidden": "true" });
  const box = div(`cw-grid cw-${options.role}${options.edit ? " cw-edit" : ""}`, top, side, cells);
  const frames = new Map(), marks = new Map();
  const me = { element: box, cells, rows: 0, cols: 0, origin: [0, 0], at: 0, content: null, rewritten: 0 };
  const fresh = new Map();                           // edited, not yet drawn: keys can be faster than frames
  const value = (k) => fresh.get(k) ?? me.content.data[k];
  let list = [], seen = [], longest = "", framed = -1;
  const widths = new Map();                          // of texts, in parts of the print
  const wide = (text) => {
    if (!widths.has(text)) widths.set(text, textWidth(text, 100, box) / 100);
    return widths.get(text);
  };

  function build(rows, cols) {
    cells.replaceChildren();
    frames.clear();
    marks.clear();
    [list, seen] = [[], []];
    for (let i = 0; i < rows; i++) {
      const row = element("div", { role: "row" });
      for (let j = 0; j < cols; j++) {
        const cell = element("div.cw-cell", { role: "gridcell", tabindex: -1 });
        cell.place = list.length;
        list.push(cell);
        row.append(cell);
      }
      cells.append(row);
    }
    box.style.setProperty("--cols", cols);
    box.style.setProperty("--rows", rows);
    [me.rows, me.cols] = [rows, cols];
    me.at = min(me.at, list.length - 1);
    if (list.length) list[me.at].tabIndex = 0;
  }

  // content: { rows, cols, data, scale, decimals }; optional: origin, cell (the side in pixels), width (of a cell that
  // is no square), text(k), state(k), name(k), locked (no hand changes it).
  me.show = (content) => {
    if (content.rows !== me.rows || content.cols !== me.cols) build(content.rows, content.cols);
    me.content = content;
    fresh.clear();
    me.origin = content.origin || [0, 0];
    indices();
    longest = "";
    for (let k = 0; k < list.length; k++) paint(k);
    fit(content);
    cells.dataset.rewritten = me.rewritten;
  };

  const em = () => parseFloat(getComputedStyle(box).fontSize);

  // Numbers as large as the cells allow, within rings smaller; none where it could not be read.
  function fit({ cell, width = cell }) {
    if (!cell) return;
    box.style.setProperty("--cell", `${cell}px`);
    box.style.setProperty("--w", `${width}px`);
    const key = `${cell},${width},${longest}`, small = min(cell, width) < LEGIBLE - 4;
    const fits = (text) => (wide(text) - CLOSER * text.length) * PRINT <= width;
    if (!small && !fits(longest)) for (const each of list) each.classList.toggle("cw-mute", !fits(each.textContent));
    else if (box.dataset.fit !== key) for (const each of list) each.classList.remove("cw-mute");
    if (box.dataset.fit === key) return;
    box.dataset.fit = key;
    const full = max(PRINT, 0.95 * em()), set = (name, text) => (text ? box.style.setProperty(name, text) : box.style.removeProperty(name));
    let size = full;
    for (const [name, edge] of [["print", 1], ["ringed", EDGE]]) {
      const room = width - 2 * edge;
      size = max(PRINT, min(size, room / max(wide(longest), 1), cell - 2 * edge));
      set(`--${name}`, size < full && `${size}px`);
      set(`--${name}-space`, wide(longest) * size > room && `${-CLOSER}em`);
    }
    box.classList.toggle("cw-small", small);
  }

  function indices() {
    const [r, c] = me.origin, { cell } = me.content, key = `${me.rows},${me.cols},${r},${c},${cell}`;
    if (box.dataset.indices === key) return;
    box.dataset.indices = key;
    const words = (n, first) => [...Array(n).keys()].map((i) => String(first + i).replace("-", "\u2212"));
    const shown = (all, first, room) => {            // every one, or every second, … that has room
      const every = cell ? max(1, ceil(room(max(...all.map((text) => text.length))) / cell)) : 1;
      return all.map((text, i) => element("span", {}, (first + i) % every ? "" : text));
    };
    const print = max(PRINT, 0.8 * em());
    top.replaceChildren(...shown(words(me.cols, c), c, (n) => 0.66 * n * print + 3));
    side.replaceChildren(...shown(words(me.rows, r), r, () => print + 1));
    list.forEach((cell, k) => { cell.dataset.at = `${r + floor(k / me.cols)},${c + (k % me.cols)}`; });
    seen = [];
  }

  function paint(k) {
    const { data, scale, decimals, text, state, name } = me.content;
    const kind = state ? state(k) : "";
    const hidden = kind.includes("hidden");
    const words = hidden ? "?" : text ? text(k) : short(data[k], decimals);
    const rgb = hidden || !scale ? null : scale.rgb(data[k]);
    const key = `${words}|${rgb}|${kind}`;
    if (wide(words) > wide(longest)) longest = words;
    if (seen[k] === key) return;
    seen[k] = key;
    me.rewritten += 1;
    const cell = list[k];
    cell.textContent = words;
    cell.className = `cw-cell ${kind}`;
    if (k === framed) cell.classList.add("framed");
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
    if (kind === "here") {
      list[framed]?.classList.remove("framed");
      framed = place?.rows === 1 && place.cols === 1 ? place.row * me.cols + place.col : -1;
      list[framed]?.classList.add("framed");
    }
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
  me.hasFocus = () => cells.contains(active(cells));
  me.typing = () => cells.querySelector("input") !== null;

  // A listener that is called with the cell, where there is one.
  const cellOf = (e) => e.target.closest?.(".cw-cell");
  const atCell = (act) => (e) => { const cell = cellOf(e); if (cell) act(cell, cell.place, e); };
  on(cells, signal, {
    pointerover: atCell((cell, k) => options.enter?.(k)),
    pointerleave: () => options.leave?.(),
    focusin: atCell((cell, k) => { me.point(k); options.focus?.(k); }),
    focusout: () => options.leave?.(),
    click: atCell((cell, k) => { if (!cell.querySelector("input")) options.choose?.(k); }),
    dblclick: atCell((cell, k) => { if (editable(k)) type(k, ""); }),
    keydown: atCell(keydown),
    pointerdown: atCell(drag),
  });

  function keydown(cell, k, e) {
    if (e.target !== cell || e.ctrlKey || e.metaKey || e.altKey) return;
    const { key, shiftKey } = e, row = floor(k / me.cols), col = k % me.cols;
    const way = arrow(e) || { Home: [0, -col], End: [0, me.cols - 1 - col] }[key];
    const changes = editable(k), sign = { "+": 1, "=": 1, "-": -1, "\u2212": -1, _: -1 }[key];
    if (way) {
      const [r, c] = [row + way[0], col + way[1]];
      e.preventDefault();
      if (r < 0 || c < 0 || r >= me.rows || c >= me.cols) return;
      me.point(r * me.cols + c, true);
      options.move?.(me.at);
    } else if (changes && !shiftKey && (key === "Enter" || key === "F2" || /^[\d.]$/.test(key))) {
      e.preventDefault();
      type(k, key.length > 1 ? "" : key);
    } else if (changes && sign) {
      e.preventDefault();
      change(k, tidy(value(k) + sign * step() * (shiftKey && key !== "+" ? 10 : 1)), "type");
    } else if (key === "Enter" && !shiftKey && options.choose) {
      e.preventDefault();
      options.choose(k);
    }
  }

  const change = (k, x, phase) => { fresh.set(k, x); options.edit(k, x, phase); };
  const editable = (k) => options.edit && !me.content.locked && !list[k].classList.contains("pad");
  const step = () => (me.content.decimals ? 0.1 : 1);
  const tidy = (x) => round(x * 1e6) / 1e6;

  function type(k, typed) {
    const cell = list[k];
    const field = element("input.cw-type", { inputmode: "decimal", "aria-label": `number for ${cell.getAttribute("aria-label").split(":")[0]}` });
    field.value = typed || String(tidy(value(k))).replace("-", "\u2212");
    cell.replaceChildren(field);
    field.focus();
    if (typed) field.setSelectionRange(1, 1); else field.select();
    let open = true;
    const close = (keep) => {
      if (!open) return;
      open = false;
      const back = cell.contains(active(field)), number = parse(field.value);
      seen[k] = null;
      paint(k);
      if (back) cell.focus();
      if (keep && number !== null && !Object.is(number, value(k))) change(k, number, "type");
    };
    on(field, signal, {
      keydown: (e) => {
        if (e.shiftKey || !/^(Enter|Escape)$/.test(e.key)) return;
        e.preventDefault();
        e.stopPropagation();
        close(e.key === "Enter");
      },
      blur: () => close(true),
    });
  }

  // Drag right or up to make a number larger: eight pixels a step.
  function drag(cell, k, e) {
    if (!editable(k) || e.button || cell.querySelector("input")) return;
    const start = value(k) || 0, { clientX, clientY, pointerId } = e;
    let last = start, moved = false;
    const stop = new AbortController();
    const end = (e) => {
      if (e.pointerId !== pointerId) return;
      stop.abort();
      if (moved) change(k, last, "drop");
    };
    on(window, stop.signal, {                        // the first move may lead out of the cells
      pointermove: (e) => {
        if (e.pointerId !== pointerId) return;
        const x = tidy(start + step() * round((e.clientX - clientX - (e.clientY - clientY)) / 8));
        if (x === last) return;
        if (!moved) cells.setPointerCapture(pointerId);
        [last, moved] = [x, true];
        change(k, x, "drag");
      },
      pointerup: end, pointercancel: end,
    });
  }
  return me;
}

export { LEGIBLE, grid };
