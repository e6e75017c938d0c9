// An extension of JupyterLab: a lesson keeps its saved interactives, and shows them. No build step: JupyterLab loads
// this file as it is. Without it, jupyterlab-manager 5 (the widgets' own extension)
// - saves only the models that the running kernel knows: run one cell, save, and every other interactive is gone
//   from the file;
// - says "model not found" for good where a view has waited 2 s just as the models arrive, on a busy machine say;
// - does not read the saved models at all when the kernel dies or is cut off while a lesson opens.
// It also keeps a lesson that was only opened from being marked as changed: JupyterLab notes in it which version of
// Python its kernel has.

const VIEW = "application/vnd.jupyter.widget-view+json";
const STATE = "application/vnd.jupyter.widget-state+json";
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

/** Saving writes what is live; write what the notebook shows, be it live, as it was saved, or of an earlier kernel. */
function keep(panel, kept, manager) {
  const remember = () => Object.assign(kept.models, manager.get_state_sync({ drop_defaults: true }).state);
  panel.context.saveState.connect((_, stage) => {
    if (stage !== "started") return;
    remember();
    const models = tied(kept.models, shownModels(panel));
    if (!ofTheCourse(models)) return;
    const state = { version_major: 2, version_minor: 0, state: models };
    panel.context.model.setMetadata("widgets", { [STATE]: state });
  });
  panel.sessionContext.statusChanged.connect((_, status) => {
    if (status === "restarting") remember();
  });
}

/** The views that show no interactive yet though their model is there, each with its output. */
function undrawn(panel, manager) {
  const areas = panel.content.widgets.map((cell) => cell.outputArea);
  const all = areas.flatMap((area) => widgetOutputs(area?.model).map(([at, output]) => {
    const parts = [...(area.widgets[at]?.children() ?? [])];
    return [parts.find((part) => part.mimeType === VIEW), output];
  }));
  return all.filter(([view, output]) => view?.widgets.length === 0 && manager.has_model(output.data[VIEW].model_id));
}

/** Draw again what has given up, now and as long as a view is still waiting. */
function draw(panel, manager, looks = LOOKS) {
  const waiting = panel.isDisposed ? [] : undrawn(panel, manager);
  waiting.filter(([view]) => view.hasClass("jupyter-widgets")).forEach(([view, output]) => {
    view.removeClass("jupyter-widgets"); // the mark of "model not found"
    view.renderModel(output);
  });
  if (waiting.length && looks) setTimeout(draw, 500, panel, manager, looks - 1);
}

/** Read the saved models again where the manager reports itself ready without them, or the file is another. */
function restore(panel, kept, manager) {
  let attempts = 0;
  const check = () => {
    const missing = shownModels(panel).some((id) => id in kept.models && !manager.has_model(id));
    attempts = missing ? attempts + 1 : 0;
    if (!missing) draw(panel, manager);
    else if (attempts <= ATTEMPTS) manager.restoreWidgets(panel.context.model); // which reports itself ready again
  };
  manager.restored.connect(check);
  panel.context.fileChanged.connect(() => {
    Object.assign(kept.models, savedModels(panel));
    check();
  });
  if (manager.restoredStatus) check();
}

async function attend(panel) {
  await panel.context.ready;
  stayClean(panel);
  const kept = { models: savedModels(panel) };
  const manager = await managerOf(panel);
  keep(panel, kept, manager);
  restore(panel, kept, manager);
}

const extension = async () => {
  const { INotebookTracker } = await moduleOf("@jupyterlab/notebook");
  const { IJupyterWidgetRegistry } = await moduleOf("@jupyter-widgets/base");
  const plugin = {
    id: "aelib:keep-interactives",
    autoStart: true,
    requires: [INotebookTracker, IJupyterWidgetRegistry],
    activate: (_, tracker) => {
      tracker.forEach(attend);
      tracker.widgetAdded.connect((_, panel) => attend(panel));
    },
  };
  return () => ({ __esModule: true, default: plugin });
};

(window._JUPYTERLAB ??= {}).aelib = { init: async (modules) => (shared = modules), get: extension };
