// The same keys in every widget; what it does not use stays inside it all the same.

const LETTERS = { r: "reset", u: "undo", p: "predict", c: "code", "?": "help" };
const HELP = [
  ["arrows", "move"], ["Page Up, Page Down", "channel or layer"], ["+ and \u2212", "change by a step (Shift: ten)"],
  ["Enter", "choose, type a number, commit"], ["Space", "play"], ["R", "reset"], ["U or Ctrl+Z", "undo"],
  ["P", "predict"], ["C", "code of this state"], ["?", "this help"], ["Esc", "out"],
];

function isField(target) {
  return target.matches("input:not([type=checkbox]):not([type=range]), select, textarea");
}

// What a key asks for: "reset", "play", "next", …; null where it means nothing here.
function actionOf(event) {
  if (isField(event.target) && event.key !== "Escape") return null;
  if (event.key === " ") return event.target.matches("button, input, summary") ? null : "play";
  if (event.key === "PageUp") return "next";
  if (event.key === "PageDown") return "previous";
  if (event.key === "Escape") return "out";
  return LETTERS[event.key.toLowerCase()] || null;
}

// Hand the root's keys to actions, and keep them from the page: JupyterLab would insert cells.
// Shift+Enter and everything with Ctrl, Meta or Alt passes, but for Ctrl+Z, which undoes here.
function followKeys(root, actions, signal) {
  root.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !isField(event.target)) {
      event.preventDefault();
      event.stopPropagation();
      actions.undo();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key === "Enter")) return;
    event.stopPropagation();
    const action = event.defaultPrevented ? null : actionOf(event);
    if (!action || !actions[action]) return;
    event.preventDefault();
    actions[action](event);
  }, { signal });
}

export { HELP, isField, actionOf, followKeys };
