// The traits of a model as plain values, and the way back: preview, commit, undo, reset.

const DECODED = new WeakMap();

function isArray(value) {
  return value !== null && typeof value === "object" && "shape" in value && "data" in value;
}

// An Array trait as { shape, data: Float32Array }; the same object for the same value.
function decode(value) {
  if (!isArray(value)) return value;
  if (!DECODED.has(value)) {
    const view = value.data;
    const bytes = view.buffer ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : view.slice(0);
    DECODED.set(value, { shape: value.shape, data: new Float32Array(bytes) });
  }
  return DECODED.get(value);
}

function encode(value) {
  if (!isArray(value) || !(value.data instanceof Float32Array)) return value;
  return { shape: [...value.shape], dtype: "float32", data: new DataView(Float32Array.from(value.data).buffer) };
}

function same(a, b) {
  if (isArray(a) && isArray(b)) {
    [a, b] = [decode(a), decode(b)];
    return a === b || (String(a.shape) === String(b.shape) && a.data.every((x, k) => Object.is(x, b.data[k])));
  }
  return Object.is(a, b) || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));
}

// names: the traits that are the state. before(): called before each message, to set what goes along.
function stateOf(model, names, before) {
  const past = [];
  const raw = (list) => Object.fromEntries(list.map((name) => [name, model.get(name)]));
  let putting = false;
  const put = (patch) => { putting = true; for (const [name, value] of Object.entries(patch)) if (!same(model.get(name), value)) model.set(name, encode(value)); putting = false; };
  const differs = (past) => Object.entries(past).some(([name, value]) => !same(model.get(name), value));
  let settled = raw(names);                          // after the last commit, whatever the pointer passed over since

  const me = {
    read: () => Object.fromEntries(names.map((name) => [name, decode(model.get(name))])),
    depth: () => past.length,
    // On screen only, for a drag or a glance: no message, no step to undo.
    preview: put,
    // A change that came from elsewhere is where undo returns to.
    noticed: (name) => { if (!putting) settled = { ...settled, [name]: model.get(name) }; },
    // For good: one message, one step to undo; steps of one group in a row are one.
    commit: (patch, group = null) => {
      put(patch);
      if (differs(settled)) remember(settled, group);
      me.send();
    },
    send: () => { settled = raw(names); before(); model.save_changes(); },
    undo: () => {
      const step = past.pop();
      put(step ? step.back : settled);
      if (step) me.send();
      return Boolean(step);
    },
    reset: () => me.commit(model.get("_start")),
  };
  function remember(back, group) {
    const last = past.at(-1);
    if (group && last && last.group === group) return;
    past.push({ back, group });
    if (past.length > 50) past.shift();
  }
  return me;
}

export { isArray, decode, encode, same, stateOf };
