// A small autoencoder that learns, plain or variational: forward pass, gradients and Adam, in 64-bit floats.
// Names, reductions and initial weights are those of `aelib.models`, `aelib.objectives` and `aelib.adam`.

/**
 * Numbers in [0, 1), the same for the same seed: a counter in steps of the golden ratio, mixed by the last
 * steps of MurmurHash3.
 */
export function uniform(seed) {
  let counter = seed;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let mixed = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** So many draws from N(0, 1), by Box and Muller. */
export const normal = (count, random) =>
  Float64Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  });

/** 0 … count − 1 in a random order, by Fisher and Yates. */
export function shuffled(count, random) {
  const order = Array.from({ length: count }, (_, n) => n);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/**
 * A network with sizes inputs, width, latents, width, inputs and a ReLU after each hidden layer. With a
 * noiseVar, σ_x² > 0, it is variational, and its code layer gives all μ, then all log σ². Weights and biases
 * are uniform in ±1/√(numbers that come in), as in torch.nn.Linear. `weights` holds them all, layer by layer,
 * each weight row by row before its bias.
 */
export function init({ inputs, width, latents, noiseVar = null }, random) {
  const code = noiseVar === null ? latents : 2 * latents;
  const shapes = [
    [inputs, width],
    [width, code],
    [latents, width],
    [width, inputs],
  ];
  const count = shapes.reduce((total, [from, to]) => total + (from + 1) * to, 0);
  const [weights, gradient, means, squares] = Array.from({ length: 4 }, () => new Float64Array(count));
  let at = 0;
  const layers = shapes.map(([from, to]) => {
    const [start, middle, end] = [at, at + from * to, at + (from + 1) * to];
    at = end;
    for (let n = start; n < end; n += 1) weights[n] = (2 * random() - 1) / Math.sqrt(from);
    return {
      from,
      to,
      weight: weights.subarray(start, middle),
      bias: weights.subarray(middle, end),
      weightGradient: gradient.subarray(start, middle),
      biasGradient: gradient.subarray(middle, end),
    };
  });
  return { inputs, latents, noiseVar, layers, weights, gradient, means, squares, steps: 0 };
}

/** Room for what a pass over so many rows leaves behind; it is used again and again. */
export function makeTrace({ layers, latents }, rows) {
  const room = (size) => new Float64Array(rows * size);
  const [first, code, , last] = layers.map(({ to }) => to);
  const pass = () => ({
    hidden: room(first),
    code: room(code),
    z: room(latents),
    unfolded: room(first),
    xHat: room(last),
  });
  return { rows, ...pass(), slopes: pass() };
}

/** y = W x + b for each row, negative numbers set to 0 by a ReLU. */
function apply({ from, to, weight, bias }, x, y, rows, relu) {
  for (let n = 0; n < rows; n += 1) {
    for (let o = 0; o < to; o += 1) {
      let total = bias[o];
      for (let i = 0, w = o * from, a = n * from; i < from; i += 1) total += weight[w + i] * x[a + i];
      y[n * to + o] = relu && total < 0 ? 0 : total;
    }
  }
}

/** x̂ of codes (rows, latents), in `trace`. */
export function decode({ layers }, trace) {
  apply(layers[2], trace.z, trace.unfolded, trace.rows, true);
  apply(layers[3], trace.unfolded, trace.xHat, trace.rows, false);
}

/** For each number of the codes of a variational network: where its μ, its log σ² and its z stand. */
function eachLatent({ latents }, rows, visit) {
  for (let n = 0; n < rows * latents; n += 1) {
    const mu = n + Math.floor(n / latents) * latents;
    visit(mu, mu + latents, n);
  }
}

/**
 * z of a code layer: the code itself, or μ + σ ε of a variational one. Gives KL(q(z|x) ‖ N(0, I)) in nats,
 * averaged over the rows; 0 for a plain autoencoder.
 */
function sample(network, { rows, code, z }, eps) {
  if (network.noiseVar === null) z.set(code);
  let kl = 0;
  if (network.noiseVar !== null)
    eachLatent(network, rows, (m, v, n) => {
      z[n] = code[m] + Math.exp(code[v] / 2) * eps[n];
      kl += (code[m] ** 2 + Math.exp(code[v]) - 1 - code[v]) / 2;
    });
  return kl / rows;
}

/**
 * One pass over x (rows, inputs), with noise eps (rows, latents) if variational; it fills `trace`.
 * reconstruction is the squared error, or −log N(x; x̂, σ_x² I) in nats, summed over the inputs and averaged
 * over the rows, and kl the KL.
 */
export function forward(network, x, eps, trace) {
  const { layers, inputs, noiseVar } = network;
  apply(layers[0], x, trace.hidden, trace.rows, true);
  apply(layers[1], trace.hidden, trace.code, trace.rows, false);
  const kl = sample(network, trace, eps);
  decode(network, trace);
  let squared = 0;
  for (let n = 0; n < x.length; n += 1) squared += (trace.xHat[n] - x[n]) ** 2;
  const error = squared / trace.rows;
  const constant = noiseVar === null ? 0 : (inputs / 2) * Math.log(2 * Math.PI * noiseVar);
  const reconstruction = noiseVar === null ? error : error / (2 * noiseVar) + constant;
  return { reconstruction, kl };
}

/**
 * Back through a layer whose output has the slopes dy: adds to the gradient of its weights, and puts the
 * slopes of its input into dx; where that came out of a ReLU, only those of numbers above 0.
 */
function applyBack({ from, to, weight, weightGradient, biasGradient }, x, dy, dx, rows, relu) {
  dx?.fill(0);
  for (let n = 0; n < rows; n += 1) {
    for (let o = 0; o < to; o += 1) {
      const slope = dy[n * to + o];
      if (slope === 0) continue;
      biasGradient[o] += slope;
      const [start, shift] = [o * from, n * from - o * from];
      if (dx)
        for (let w = start; w < start + from; w += 1) {
          weightGradient[w] += slope * x[w + shift];
          dx[w + shift] += slope * weight[w];
        }
      else for (let w = start; w < start + from; w += 1) weightGradient[w] += slope * x[w + shift];
    }
  }
  if (relu) for (let n = 0; n < dx.length; n += 1) if (!(x[n] > 0)) dx[n] = 0;
}

/** From the slopes of z to those of the code layer, with those of beta times the KL. */
function sampleBack(network, { rows, code, slopes }, eps, beta) {
  if (network.noiseVar === null) slopes.code.set(slopes.z);
  else
    eachLatent(network, rows, (m, v, n) => {
      const [slope, variance] = [slopes.z[n], Math.exp(code[v])];
      slopes.code[m] = slope + (beta * code[m]) / rows;
      slopes.code[v] = (slope * Math.sqrt(variance) * eps[n] + (beta * (variance - 1)) / rows) / 2;
    });
}

/** Puts the gradient of reconstruction + beta · kl into network.gradient, after `forward` of them. */
export function backward(network, x, eps, trace, beta = 1) {
  const { layers, noiseVar, gradient } = network;
  const { rows, hidden, z, unfolded, xHat, slopes } = trace;
  gradient.fill(0);
  const scale = (noiseVar === null ? 2 : 1 / noiseVar) / rows;
  for (let n = 0; n < x.length; n += 1) slopes.xHat[n] = (xHat[n] - x[n]) * scale;
  applyBack(layers[3], unfolded, slopes.xHat, slopes.unfolded, rows, true);
  applyBack(layers[2], z, slopes.unfolded, slopes.z, rows, false);
  sampleBack(network, trace, eps, beta);
  applyBack(layers[1], hidden, slopes.code, slopes.hidden, rows, true);
  applyBack(layers[0], x, slopes.hidden, null, rows, false);
}

const [BETA1, BETA2, EPS] = [0.9, 0.999, 1e-8];

/** One step of Adam along network.gradient, as torch takes it. */
export function adamStep(network, lr) {
  const { weights, gradient, means, squares } = network;
  network.steps += 1;
  const size = lr / (1 - BETA1 ** network.steps);
  const root = Math.sqrt(1 - BETA2 ** network.steps);
  for (let n = 0; n < weights.length; n += 1) {
    const slope = gradient[n];
    means[n] += (1 - BETA1) * (slope - means[n]);
    squares[n] = BETA2 * squares[n] + (1 - BETA2) * slope * slope;
    weights[n] -= (size * means[n]) / (Math.sqrt(squares[n]) / root + EPS);
  }
}
