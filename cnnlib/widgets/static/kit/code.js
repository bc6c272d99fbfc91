// The cell that makes what is on screen; CourseWidget.code() writes the same one in Python.
import { literal } from "./text.js";
import { same } from "./state.js";

// pattern: { name, positional, defaults, names, extra } as Python sends it; writers: { trait: (value) => text }.
function codeOf(pattern, state, writers = {}) {
  const written = (name) => {
    const value = state[name];
    if (writers[name]) return writers[name](value);
    if (pattern.names[name]) return pattern.names[name];
    return value && value.shape && value.data.length > 81 ? name : literal(value);
  };
  const parts = pattern.positional.map(written);
  for (const name of Object.keys(state)) {
    if (pattern.positional.includes(name) || same(state[name], pattern.defaults[name])) continue;
    parts.push(`${name}=${written(name)}`);
  }
  for (const [name, text] of Object.entries(pattern.extra)) parts.push(`${name}=${text}`);
  return `${pattern.name}(${parts.join(", ")})`;
}

export { codeOf };
