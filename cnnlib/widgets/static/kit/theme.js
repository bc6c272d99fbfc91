// Dark or light: what the page says, else what the page looks like.
import { atEnd } from "./dom.js";
import { luminance } from "./scale.js";

function pageTheme(el) {
  const { body, documentElement: html } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  const [code] = body.className.match(/vscode-(dark|light|high-contrast)\S*/) || [], named = html.getAttribute("theme") || html.dataset.theme;
  if (code) return code.endsWith("light") ? "light" : "dark";
  if (named) return /dark/i.test(named) ? "dark" : "light";
  for (let node = el; node; node = node.parentElement) {
    const parts = getComputedStyle(node).backgroundColor.match(/[\d.]+/g) || [];
    if (parts.length === 3 || Number(parts[3]) > 0.5) return luminance(parts.slice(0, 3).map(Number)) < 0.18 ? "dark" : "light";
  }
  return "light";
}

// Keep root.dataset.theme right and tell `changed` when it turns.
function followTheme(root, signal, changed) {
  const look = () => {
    const theme = pageTheme(root.parentElement || root);
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    changed();
  };
  const observer = new MutationObserver(look);
  for (const node of [document.body, document.documentElement]) observer.observe(node, { attributes: true });
  atEnd(signal, () => observer.disconnect());
  root.dataset.theme = pageTheme(root.parentElement || root);
}

export { pageTheme, followTheme };
