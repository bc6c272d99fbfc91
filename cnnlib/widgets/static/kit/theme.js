// Dark or light: what the page says, else what the page looks like.
import { luminance } from "./scale.js";

function pageTheme(el) {
  const { body, documentElement: html } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  if (body.matches(".vscode-dark, .vscode-high-contrast:not(.vscode-high-contrast-light)")) return "dark";
  if (body.matches(".vscode-light, .vscode-high-contrast-light")) return "light";
  const named = html.getAttribute("theme") || html.dataset.theme;
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
  for (const node of [document.body, document.documentElement]) observer.observe(node, { attributes: true, attributeFilter: ["class", "style", "theme", "data-theme", "data-jp-theme-light"] });
  signal.addEventListener("abort", () => observer.disconnect());
  root.dataset.theme = pageTheme(root.parentElement || root);
}

export { pageTheme, followTheme };
