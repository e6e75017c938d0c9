// An extension of JupyterLab: a lesson keeps its saved interactives, and shows them. No build step: JupyterLab loads
// this file as it is. Without it, jupyterlab-manager 5 (the widgets' own extension)
// - saves only the models that the running kernel knows: run one cell, save, and every other interactive is gone
//   from the file, and so is an answer given to one whose cell was not run;
// - saves them only when this page is told to save: where several people work on one notebook the server saves, and
//   tells nobody;
// - says "model not found" for good where a view has waited 2 s just as the models arrive, on a busy machine say, and
//   where there is no model any more, though its picture stands in the same output;
// - does not read the saved models at all when the kernel dies or is cut off while a lesson opens.
// It also keeps a lesson that was only opened from being marked as changed: JupyterLab notes in it which version of
// Python its kernel has.

const VIEW = "application/vnd.jupyter.widget-view+json";
const STATE = "application/vnd.jupyter.widget-state+json";
const PICTURE = "image/png";
const PUBLISHED = /^f{4}/; // how the ids of the models of a published lesson begin
const QUIET = 1000;
const ATTEMPTS = 5;
const LOOKS = 40;
let shared; // JupyterLab's modules, by name and version

const moduleOf = async (name) => (await Object.values(shared[name])[0].get())();
const savedModels = (panel) => panel.context.model.getMetadata("widgets")?.[STATE]?.state ?? {};
const ofTheCourse = (models) =>
  Object.values(models).some(({ state }) => state._anywidget_id?.startsWith("aelib."));

/** The outputs of a list that are widgets, each with its place in the list. */
function widgetOutputs(outputs) {
  const all = Array.from({ length: outputs?.length ?? 0 }, (_, at) => [at, outputs.get(at)]);
  return all.filter(([, output]) => VIEW in output.data);
}

const modelIds = (outputs) => widgetOutputs(outputs).map(([, output]) => output.data[VIEW].model_id);
const shownModels = (panel) => [...panel.context.model.cells].flatMap((cell) => modelIds(cell.outputs));

/** Of `models` those that `roots` are tied to: what they refer to, what refers to them (a link, say), and so on. */
function tied(models, roots) {
  const text = (id) => JSON.stringify(models[id].state);
  const inside = (id) => [...text(id).matchAll(/(?:IPY_MODEL_|"model_id":")([\w-]+)/g)].map((match) => match[1]);
  const references = Object.keys(models).map((id) => [id, ...inside(id)].filter((one) => one in models));
  const found = new Set(roots);
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const group of references) {
      if (group.some((one) => found.has(one))) group.forEach((one) => found.add(one));
    }
  }
  return Object.fromEntries(Object.entries(models).filter(([id]) => found.has(id)));
}

async function managerOf(panel) {
  await panel.sessionContext.ready;
  await new Promise((resolve) => setTimeout(resolve)); // the widgets' extension waits for the same, and comes first
  return panel.content.rendermime.createRenderer(VIEW)._manager.promise;
}

/** What the notebook holds, as text, but for what the kernel says of its language. */
function contents(panel) {
  const { metadata: { language_info, ...metadata }, cells } = panel.context.model.toJSON();
  return JSON.stringify([Object.entries(metadata).sort(), cells]);
}

/** A notebook that holds what it held on disk is not marked as changed. */
function stayClean(panel) {
  const { context } = panel;
  let saved = contents(panel);
  const look = () => {
    if (!panel.isDisposed && context.model.dirty && contents(panel) === saved) context.model.dirty = false;
  };
  context.saveState.connect((_, stage) => {
    if (stage === "completed") saved = contents(panel);
  });
  context.model.stateChanged.connect((_, { name, newValue }) => {
    if (name === "dirty" && newValue) setTimeout(look);
  });
  look();
}

/** What the notebook shows, be it live, as it was saved, or of an earlier kernel; and what was published with it. */
function toBeKept(panel, models) {
  const published = Object.entries(models).filter(([id]) => PUBLISHED.test(id));
  return { ...Object.fromEntries(published), ...tied(models, shownModels(panel)) };
}

const asText = (models) => JSON.stringify(Object.entries(models).sort());

/** The notebook's metadata hold its interactives: when it is saved, and soon after anything of them has changed. */
function keep(panel, kept, manager, split) {
  const remember = () => Object.assign(kept.models, manager.get_state_sync({ drop_defaults: true }).state);
  const write = () => {
    if (panel.isDisposed) return;
    remember();
    follow(kept, manager, split, soon);
    const models = toBeKept(panel, kept.models);
    if (!ofTheCourse(models) || asText(models) === asText(savedModels(panel))) return;
    const state = { version_major: 2, version_minor: 0, state: models };
    panel.context.model.setMetadata("widgets", { [STATE]: state });
  };
  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(write, QUIET);
  };
  panel.context.saveState.connect((_, stage) => stage === "started" && write());
  panel.sessionContext.statusChanged.connect((_, status) => {
    if (status === "restarting") remember();
    if (status === "idle") soon();
  });
  panel.sessionContext.iopubMessage.connect((_, { content }) => content.data && VIEW in content.data && soon());
  manager.restored.connect(() => follow(kept, manager, split, soon));
  follow(kept, manager, split, soon);
}

/** Hear of each change of a model, once; of one without a kernel, what changed is noted at once. */
function follow(kept, manager, split, changed) {
  for (const id of Object.keys(kept.models).filter((one) => manager.has_model(one))) {
    manager.get_model(id).then((model) => {
      if (kept.followed.has(model)) return;
      kept.followed.add(model);
      model.on("change", () => {
        if (!model.comm_live) note(kept.models[id], model, split);
        changed();
      });
    });
  }
}

/** Put the traits of a model that have changed into what was saved of it. */
function note(saved, model, split) {
  const names = Object.keys(model.changedAttributes() || {});
  const now = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const { state, buffers, buffer_paths: paths } = split(model.serialize(now));
  Object.assign(saved.state, state);
  const others = (saved.buffers ?? []).filter(({ path }) => !names.includes(path[0]));
  const changed = buffers.map((buffer, at) => ({ encoding: "base64", path: paths[at], data: base64(buffer) }));
  if (saved.buffers || changed.length) saved.buffers = [...others, ...changed];
}

function base64(buffer) {
  const bytes = ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** The views of the notebook's widgets, each with its output. */
function views(panel) {
  const areas = panel.content.widgets.map((cell) => cell.outputArea);
  const all = areas.flatMap((area) => widgetOutputs(area?.model).map(([at, output]) => {
    const parts = [...(area.widgets[at]?.children() ?? [])];
    return [parts.find((part) => part.mimeType === VIEW), output];
  }));
  return all.filter(([view]) => view);
}

const undrawn = (panel) => views(panel).filter(([view]) => view.widgets.length === 0);

const hasGivenUp = ([view]) => view.hasClass("jupyter-widgets"); // the mark of "model not found"

/** Draw again what has given up: the interactive, or its picture where there is no model; as long as a view waits. */
function draw(panel, kept, manager, looks = LOOKS) {
  const waiting = panel.isDisposed ? [] : undrawn(panel);
  waiting.filter(hasGivenUp).forEach(([view, output]) => {
    const id = output.data[VIEW].model_id;
    if (manager.has_model(id)) {
      view.removeClass("jupyter-widgets");
      view.renderModel(output);
    } else if (PICTURE in output.data && !(id in kept.models)) showPicture(panel, view, output);
  });
  if (waiting.length && looks) setTimeout(draw, 500, panel, kept, manager, looks - 1);
}

/** What an untrusted notebook shows in the same place. */
async function showPicture(panel, view, output) {
  const picture = panel.content.rendermime.createRenderer(PICTURE);
  view.node.textContent = "";
  view.removeClass("jupyter-widgets");
  view.addWidget(picture);
  await picture.renderModel(output);
  picture.node.querySelector("img").alt = output.metadata[PICTURE]?.alt ?? "";
}

/** An interactive that finds its state damaged is handed the picture that was saved beside it. */
function helpDamaged(panel) {
  panel.node.addEventListener("ae-damaged", ({ target, detail }) => {
    const [, output] = views(panel).find(([view]) => view.node.contains(target)) ?? [];
    const picture = output?.data[PICTURE];
    if (picture) detail.show(`data:${PICTURE};base64,${picture}`, output.metadata[PICTURE]?.alt);
  });
}

/** Read the saved models again where the manager reports itself ready without them, or the file is another. */
function restore(panel, kept, manager) {
  let attempts = 0;
  const check = () => {
    const missing = shownModels(panel).some((id) => id in kept.models && !manager.has_model(id));
    attempts = missing ? attempts + 1 : 0;
    if (!missing) draw(panel, kept, manager);
    else if (attempts <= ATTEMPTS) manager.restoreWidgets(panel.context.model); // which reports itself ready again
  };
  manager.restored.connect(check);
  panel.context.fileChanged.connect(() => {
    Object.assign(kept.models, savedModels(panel));
    check();
  });
  if (manager.restoredStatus) check();
}

async function attend(panel, split) {
  await panel.context.ready;
  stayClean(panel);
  helpDamaged(panel);
  const kept = { models: savedModels(panel), followed: new WeakSet() };
  const manager = await managerOf(panel);
  keep(panel, kept, manager, split);
  restore(panel, kept, manager);
}

const extension = async () => {
  const { INotebookTracker } = await moduleOf("@jupyterlab/notebook");
  const { IJupyterWidgetRegistry, remove_buffers: split } = await moduleOf("@jupyter-widgets/base");
  const plugin = {
    id: "aelib:keep-interactives",
    autoStart: true,
    requires: [IJupyterWidgetRegistry],
    optional: [INotebookTracker], // Voilà has none, and nothing to save
    activate: (_, registry, tracker) => {
      tracker?.forEach((panel) => attend(panel, split));
      tracker?.widgetAdded.connect((_, panel) => attend(panel, split));
    },
  };
  return () => ({ __esModule: true, default: plugin });
};

(window._JUPYTERLAB ??= {}).aelib = { init: async (modules) => (shared = modules), get: extension };
