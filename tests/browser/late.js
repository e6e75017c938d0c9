// Every frame, observer and timer of the page comes late by LATE ms, as on a machine that does too much at once.
{
  const LATE = 0;
  const { setTimeout: timer, clearTimeout: stop, setInterval: clock } = window;
  const { requestAnimationFrame: frame, cancelAnimationFrame: unframe } = window;
  const frames = new Map();

  window.requestAnimationFrame = (call) => {
    const id = timer(() => {
      const asked = frame((now) => {
        frames.delete(id);
        call(now);
      });
      frames.set(id, asked);
    }, LATE);
    return id;
  };
  window.cancelAnimationFrame = (id) => {
    stop(id);
    unframe(frames.get(id));
    frames.delete(id);
  };
  window.setTimeout = (call, delay = 0, ...rest) => timer(call, Number(delay) + LATE, ...rest);
  window.setInterval = (call, delay = 0, ...rest) => clock(call, Number(delay) + LATE, ...rest);

  for (const name of ["ResizeObserver", "IntersectionObserver"]) {
    const { [name]: Observer } = window;
    window[name] = class extends Observer {
      #over = false;
      constructor(call, ...rest) {
        super((entries, self) => timer(() => this.#over || call(entries, self), LATE), ...rest);
      }
      observe(...target) {
        this.#over = false;
        super.observe(...target);
      }
      disconnect() {
        this.#over = true;
        super.disconnect();
      }
    };
  }
}
