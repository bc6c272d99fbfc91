// Making elements in one line.

function element(tag, attributes = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) el.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) el.setAttribute(name, value);
  }
  el.append(...children.filter((child) => child !== null));
  return el;
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

export { element, write, setAttribute, visible };
