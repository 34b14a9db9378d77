"use strict";
/* A ReLU construction, evaluated in doubles from its non-zero weights.

   h <- h + sum over heads of (1/N) sum_j relu(<h_i W_Q, h_j W_K>) h_j W_V W_O
   h <- h + relu(h W_in) W_out

   Nothing here knows a task, a field or a layer. A token whose stream is 0 throughout neither
   asks nor is read, and no MLP has a bias, so that it stays 0: padding is left out.

   Sums go by rising coordinate and rising token. Where all terms are whole numbers below 2^53,
   or such over one power of two, every sum is exact and no order gives another one. */

/* A matrix by its non-zeros, row after row. */
class Weight {
  constructor({ shape: [rows, columns], at, to, values }) {
    this.rows = rows;
    this.columns = columns;
    this.starts = new Int32Array(rows + 1);
    for (const row of at) this.starts[row + 1] += 1;
    for (let row = 0; row < rows; row += 1) this.starts[row + 1] += this.starts[row];
    this.to = Int32Array.from(to);
    this.values = Float64Array.from(values);
  }

  /* Add `factor` times a row to a vector. */
  addRow(row, factor, vector) {
    for (let i = this.starts[row]; i < this.starts[row + 1]; i += 1) {
      vector[this.to[i]] += factor * this.values[i];
    }
  }

  /* A vector times this matrix; null if it is 0 throughout. */
  product({ vector, busy }) {
    const found = new Float64Array(this.columns);
    for (const coordinate of busy) this.addRow(coordinate, vector[coordinate], found);
    return sparse(found);
  }

  place(row, column) {
    for (let i = this.starts[row]; i < this.starts[row + 1]; i += 1) {
      if (this.to[i] === column) return i;
    }
    throw new RangeError(`there is no weight at row ${row}, column ${column}`);
  }
}

/* A vector with the places where it is not 0; null if there are none. */
function sparse(vector) {
  const busy = [];
  for (let i = 0; i < vector.length; i += 1) if (vector[i] !== 0) busy.push(i);
  return busy.length ? { vector, busy } : null;
}

function inner(one, other) {
  const [short, long] = one.busy.length <= other.busy.length ? [one, other] : [other, one];
  let sum = 0;
  for (const i of short.busy) sum += short.vector[i] * long.vector[i];
  return sum;
}

class Network {
  /* `sizes` has N, D, d, m, n and length; a head, or an MLP, that is idle is null. */
  constructor({ sizes, answer, layers, weights }) {
    this.sizes = sizes;
    this.answer = answer;
    this.layers = layers;
    this.weights = {};
    for (const [name, weight] of Object.entries(weights)) this.weights[name] = new Weight(weight);
  }

  /* Set a weight that is not 0; returns what it was. */
  change(name, row, column, value) {
    const weight = this.weights[name];
    const place = weight.place(row, column);
    const old = weight.values[place];
    weight.values[place] = value;
    return old;
  }

  /* One forward pass.

     A prompt has `examples`, each a list of n vectors (the last is the label), and `query`, a
     list of n - 1; a vector is a list of [coordinate, value].

     Returns the streams before layer 1 and after each layer: for each token a Float64Array, or
     null where it is 0 throughout; what each token gave in all, layer by layer, head by head;
     the pairs [asking token, token read, score] that scored; and the answer. */
  run(prompt) {
    let rows = this.embedded(prompt);
    const states = [rows];
    const attended = [];
    const pairs = [];
    this.layers.forEach((layer, number) => {
      const done = this.attention(rows, layer, `layers.${number}`);
      rows = layer.mlp === null ? done.rows : this.mlp(done.rows, `layers.${number}.mlp`);
      states.push(rows);
      attended.push(done.attended);
      pairs.push(done.pairs);
    });
    return { states, attended, pairs, answer: this.unembedded(rows[this.answer]) };
  }

  embedded({ examples, query }) {
    const { N, D, d, m, n, length } = this.sizes;
    const found = Array.from({ length: N }, () => new Float64Array(D));
    const { W_E, W_pos } = this.weights;
    for (let token = 0; token < N; token += 1) W_pos.addRow(token, 1, found[token]);
    const put = (token, vector) => {
      for (const [coordinate, value] of vector) W_E.addRow(coordinate, value, found[token]);
    };
    examples.forEach((vectors, slot) => {
      vectors.forEach((vector, i) => put(slot * length + (i < n - 1 ? i : length - 1), vector));
      for (let i = 0; i < length; i += 1) put(slot * length + i, [[d, 1]]);
    });
    query.forEach((vector, i) => put(m * length + i, vector));
    return found.map((vector) => (sparse(vector) ? vector : null));
  }

  attention(rows, layer, prefix) {
    const { N, D } = this.sizes;
    const read = rows.map((vector) => vector && sparse(vector));
    const added = rows.map((vector) => vector && Float64Array.from(vector));
    const attended = [];
    const pairs = [];
    layer.heads.forEach((head, k) => {
      attended.push(new Float64Array(N));
      pairs.push([]);
      if (head === null) return;
      const weight = (name) => this.weights[`${prefix}.heads.${k}.${name}`];
      const times = (name) => read.map((row) => row && weight(name).product(row));
      const [asks, keys, values] = [times("W_Q"), times("W_K"), times("W_V")];
      const own = asks.map((ask, i) => ask && scored(ask, keys, i, pairs[k]));
      own.forEach((scores, i) => {
        if (!scores || !scores.length) return;
        const found = new Float64Array(weight("W_V").columns);
        for (const [j, score] of scores) {
          attended[k][i] += score;
          const share = score / N;
          if (values[j]) for (const c of values[j].busy) found[c] += values[j].vector[c] * share;
        }
        const given = sparse(found);
        const written = given && weight("W_O").product(given);
        if (written) for (const c of written.busy) added[i][c] += written.vector[c];
      });
    });
    return { rows: added, attended, pairs };
  }

  mlp(rows, prefix) {
    const [W_in, W_out] = [this.weights[`${prefix}.W_in`], this.weights[`${prefix}.W_out`]];
    return rows.map((vector) => {
      const units = vector && W_in.product(sparse(vector) ?? { vector, busy: [] });
      if (!units) return vector;
      units.busy = units.busy.filter((unit) => units.vector[unit] > 0);
      const written = W_out.product(units);
      if (!written) return vector;
      const found = Float64Array.from(vector);
      for (const c of written.busy) found[c] += written.vector[c];
      return found;
    });
  }

  unembedded(vector) {
    const found = vector && this.weights.W_U.product(sparse(vector) ?? { vector, busy: [] });
    return found ? found.vector : new Float64Array(this.sizes.d);
  }
}

/* [token, score] of those that score with what token i asks; added to the pairs. */
function scored(ask, keys, i, pairs) {
  const found = [];
  keys.forEach((key, j) => {
    const score = key ? inner(ask, key) : 0;
    if (score > 0) {
      found.push([j, score]);
      pairs.push([i, j, score]);
    }
  });
  return found;
}
