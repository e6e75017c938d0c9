// Interactives come alive, on a page or in a lecture: `mount` comes from model_stub.js, the states from the page.

/** Draw each saved interactive in its place; where one cannot be drawn, its still picture stays. */
async function wake(host, saved) {
  const still = [...host.childNodes];
  const room = host.appendChild(document.createElement("div"));
  const picture = host.querySelector("img.still");
  room.addEventListener("ae-damaged", ({ detail }) => picture && detail.show(picture.src, picture.alt));
  const { model } = await mount(saved[host.dataset.model], room);
  for (const node of still) node.remove();
  host.dataset.live = "";
  host.dispatchEvent(new CustomEvent("awake", { bubbles: true, detail: model }));
}

async function wakeAll() {
  const saved = JSON.parse(document.querySelector("#saved")?.textContent ?? "{}");
  const hosts = [...document.querySelectorAll(".interactive[data-model]")];
  const done = await Promise.allSettled(hosts.map((host) => wake(host, saved)));
  for (const { reason } of done) if (reason) console.error(reason);
}
