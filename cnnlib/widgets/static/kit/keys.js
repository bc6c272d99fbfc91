// The same keys in every widget; what it does not use stays inside it all the same.

const LETTERS = { r: "reset", u: "undo", p: "predict", c: "code", "?": "help" };
const HELP = [                                       // key, what it does, the action without which it is not told
  ["arrows", "move"], ["Page Up, Page Down", "channel or layer", "next"], ["+ and \u2212", "change (Shift: ten steps)"],
  ["Enter", "choose, type, commit"], ["Space", "play", "play"], ["R", "reset"], ["U or Ctrl+Z", "undo"],
  ["P", "predict"], ["C", "code of this state"], ["?", "this help"], ["Esc", "out"],
];

function isField(target) {
  return target.matches("input:not([type=checkbox]):not([type=range]), select, textarea");
}

// What a key asks for: "reset", "play", "next", …; null where it means nothing here.
function actionOf(e) {
  if (isField(e.target) && e.key !== "Escape") return null;
  if (e.key === " ") return e.target.matches("button, input, summary") ? null : "play";
  if (e.key === "PageUp") return "next";
  if (e.key === "PageDown") return "previous";
  if (e.key === "Escape") return "out";
  return LETTERS[e.key.toLowerCase()] || null;
}

// Hand the root's keys to actions, and keep them from the page: JupyterLab would insert cells.
// Shift+Enter and everything with Ctrl, Meta or Alt passes, but for Ctrl+Z, which undoes here.
function followKeys(root, actions, signal) {
  root.addEventListener("keydown", (e) => {
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "z" && !isField(e.target)) {
      e.preventDefault();
      e.stopPropagation();
      actions.undo();
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || (e.shiftKey && e.key === "Enter")) return;
    e.stopPropagation();
    const action = e.defaultPrevented ? null : actionOf(e);
    if (!action || !actions[action]) return;
    e.preventDefault();
    actions[action](e);
  }, { signal });
}

export { HELP, isField, actionOf, followKeys };
