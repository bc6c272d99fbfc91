// The cell that makes what is on screen; CourseWidget.code() writes the same one in Python.
import { literal } from "./text.js";
import { same } from "./state.js";

// pattern: { name, positional, defaults, names } as Python sends it.
function codeOf(pattern, state) {
  const written = (name) => {
    const value = state[name];
    if (pattern.names[name]) return pattern.names[name];
    return value && value.shape && value.data.length > 81 ? name : literal(value);
  };
  const parts = pattern.positional.map(written);
  for (const name of Object.keys(state)) {
    if (pattern.positional.includes(name) || same(state[name], pattern.defaults[name])) continue;
    parts.push(`${name}=${written(name)}`);
  }
  return `${pattern.name}(${parts.join(", ")})`;
}

export { codeOf };
