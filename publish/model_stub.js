// A model for an interactive on a page without a kernel: what render({ model, el }) needs, over a saved state.

/** Names of base64 buffers become DataViews in the state, as a kernel would have sent them. */
export function unpack({ state, buffers = [] }) {
  const full = { ...state };
  for (const { path, data } of buffers) {
    let node = full;
    for (const key of path.slice(0, -1)) node = node[key];
    node[path.at(-1)] = new DataView(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);
  }
  return full;
}

/** get, set, on, off, save_changes and send; `saved` lists what save_changes() would have told the kernel. */
export function makeModel(state) {
  const listeners = new Map();
  const changed = new Set();
  const fire = (event, ...args) => [...(listeners.get(event) ?? [])].forEach((listener) => listener(...args));
  const model = {
    saved: [],
    sent: [],
    get: (name) => state[name],
    set(name, value) {
      const values = typeof name === "object" ? name : { [name]: value };
      const fresh = Object.keys(values).filter((key) => state[key] !== values[key]);
      Object.assign(state, values);
      for (const key of fresh) {
        changed.add(key);
        fire(`change:${key}`, model, state[key]);
      }
      if (fresh.length) fire("change", model);
    },
    on: (events, listener) => events.split(/\s+/).forEach((event) => {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
    }),
    off: (events, listener) => (events?.split(/\s+/) ?? [...listeners.keys()]).forEach((event) => {
      listeners.set(event, listener ? (listeners.get(event) ?? []).filter((other) => other !== listener) : []);
    }),
    save_changes() {
      if (changed.size) model.saved.push(Object.fromEntries([...changed].map((key) => [key, state[key]])));
      changed.clear();
    },
    send: (content, callbacks, buffers = []) => model.sent.push({ content, buffers }),
  };
  return model;
}

/** Import the interactive's own script and let it draw itself in `el`; gives the model and what tidies up. */
export async function mount({ state, buffers = [] }, el) {
  const model = makeModel(unpack({ state, buffers }));
  if (state._css) el.before(Object.assign(document.createElement("style"), { textContent: state._css }));
  const address = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
  const module = await import(address);
  URL.revokeObjectURL(address);
  const widget = typeof module.default === "function" ? await module.default() : module.default;
  await widget.initialize?.({ model });
  const cleanup = await widget.render({ model, el });
  return { model, cleanup };
}
