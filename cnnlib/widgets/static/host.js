// A model without a kernel: what a page needs to show one widget, and what the tests count messages with.
// record: { state, buffers }: buffers are [path, base64] for the binary parts of the state.
function hostModel(record) {
  const state = record.state, listeners = {}, unsaved = new Set(), messages = [];
  for (const [path, text] of record.buffers) {
    const place = path.slice(0, -1).reduce((node, key) => node[key], state);
    place[path.at(-1)] = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  }
  const fire = (name) => (listeners[name] || []).slice().forEach((callback) => callback());
  return {
    messages,
    get: (name) => state[name],
    set: (name, value) => {
      if (state[name] === value) return;
      state[name] = value;
      unsaved.add(name);
      fire(`change:${name}`);
      fire("change");
    },
    save_changes: () => {
      if (unsaved.size) messages.push([...unsaved]);
      unsaved.clear();
    },
    send: (content) => messages.push(content),
    on: (name, callback) => { (listeners[name] ||= []).push(callback); },
    off: (name, callback) => { listeners[name] = (listeners[name] || []).filter((each) => each !== callback); },
  };
}

export { hostModel };
