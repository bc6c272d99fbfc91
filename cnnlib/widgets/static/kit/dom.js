// Making elements in one line, and listening to them as long as the widget lives.

// tag: "span", or with its classes "span.cw-label"; an attribute that is null or false is left out.
function element(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split("."), el = document.createElement(name);
  el.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) el.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) el.setAttribute(name, value);
  }
  el.append(...children.filter((child) => child !== null));
  return el;
}

function div(names, ...children) {
  return element("div", { class: names }, ...children);
}

// listeners: { click: (e) => …, … }.
function on(el, signal, listeners) {
  for (const [name, listener] of Object.entries(listeners)) el.addEventListener(name, listener, { signal });
}

// What is to be done when the widget ends.
function atEnd(signal, act) {
  signal.addEventListener("abort", act);
}

// Write only what differs: a rewritten node costs layout and, in a live region, speech.
function write(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

function setAttribute(el, name, value) {
  if (value === null || value === undefined || value === false) el.removeAttribute(name);
  else if (el.getAttribute(name) !== String(value)) el.setAttribute(name, value);
}

function visible(el, shown) {
  if (el.hidden === shown) el.hidden = !shown;
}

// These children and no others, in this order; what already stands right is left alone.
function arrange(parent, wanted) {
  if (wanted.length !== parent.children.length || wanted.some((el, k) => parent.children[k] !== el)) parent.replaceChildren(...wanted);
}

// Which way an arrow key points: [rows, columns], or undefined; nothing while Ctrl, Meta or Alt is down.
function arrow(e) {
  if (e.ctrlKey || e.metaKey || e.altKey) return undefined;
  return { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
}

// What has the focus in the page, or in the part of it, where this element lives.
function active(el) {
  return el.getRootNode().activeElement;
}

// Is the pointer or the focus on it? What a grid heard last is no answer: moved in the page, it hears of no leaving.
function touched(el) {
  return el.matches(":hover") || el.contains(active(el));
}

let context = null;

// The width of a text in pixels, in the font of `el`.
function textWidth(text, px, el) {
  context ||= document.createElement("canvas").getContext("2d");
  context.font = `${px}px ${getComputedStyle(el).fontFamily}`;
  return context.measureText(text).width;
}

export { element, div, on, atEnd, write, setAttribute, visible, arrange, arrow, active, touched, textWidth };
