// One training step of three dense layers in three kernels: ReLU, ReLU, and softmax with
// cross-entropy. The reference is train_step in nnfs_xp/engine/step.py.
//
// dense_step_first   gathers the rows of the batch: y1 = relu(x W1 + b1)
// dense_step_rest    row by row: y2, the logits, loss and hit, and dz3, dz2, dz1
// dense_step_update  tile by tile: dW = input^T dz, and the optimizer's rule on the tile
//
// A gradient of the weights is never in memory. A layer's biases lie behind its weights,
// as one row more, whose input is 1. Nothing that differs between two steps is an
// argument, so a captured step may be launched any number of times: the first kernel
// notes which row and step it is, and the other two go by that note while the second
// moves the counters on. So no kernel reads what one of its own blocks writes.
// No sum depends on the order of blocks or threads.
//
// Constants of a compilation: INPUTS, HIDDEN_1, HIDDEN_2, CLASSES; SAMPLE and LABEL, the
// types of the data; RESCALED, whether samples are rescaled; and RULE, of the optimizer:
// 0 plain descent, 1 momentum, 2 Adam.

// ---- Rows of numbers, four at a time ----

__host__ __device__ constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

// Four numbers of a row of N, from a column on that is a multiple of 4; 0 past its end.
template <int N, bool ALIGNED = N % 4 == 0>
__device__ float4 load4(const float* row, int column) {
  if constexpr (ALIGNED) {
    if (column < N) return *(const float4*)(row + column);
    return make_float4(0, 0, 0, 0);
  }
  return make_float4(column < N ? row[column] : 0, column + 1 < N ? row[column + 1] : 0,
                     column + 2 < N ? row[column + 2] : 0,
                     column + 3 < N ? row[column + 3] : 0);
}

template <int N, bool ALIGNED>
__device__ void store4(float* row, int column, float4 v) {
  if constexpr (ALIGNED) {
    if (column < N) *(float4*)(row + column) = v;
    return;
  }
  if (column < N) row[column] = v.x;
  if (column + 1 < N) row[column + 1] = v.y;
  if (column + 2 < N) row[column + 2] = v.z;
  if (column + 3 < N) row[column + 3] = v.w;
}

__device__ inline float4& four(float* p) { return *(float4*)p; }

__device__ inline float dot(float4 a, float4 b) {
  return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}

__device__ inline void add_scaled(float4& sum, float a, float4 b) {
  sum.x += a * b.x;
  sum.y += a * b.y;
  sum.z += a * b.z;
  sum.w += a * b.w;
}

// ---- The batch ----

struct Note {
  int row, step;  // the first row of the batch, the steps before this one
};

// The rows of the data, in an order, or as a ring without one. If there is a table, it
// has the number of rows, and where order, samples and labels are.
struct Batch {
  const SAMPLE* samples;
  const LABEL* labels;
  const int* order;
  const uint64* table;
  int n_rows, size;
  float scale, offset;

  __device__ void look_up() {
    if (!table) return;
    n_rows = (int)table[0];
    order = (const int*)table[1];
    samples = (const SAMPLE*)table[2];
    labels = (const LABEL*)table[3];
  }

  __device__ size_t at(int first, int i) const {
    return order ? order[first + i] : (first + i) % n_rows;
  }

  __device__ float value(SAMPLE sample) const {
    return RESCALED ? (float)sample * scale + offset : (float)sample;
  }

  __device__ float4 load(size_t row, int column) const {
    const SAMPLE* x = samples + row * INPUTS;
    if constexpr (sizeof(SAMPLE) == 4 && !RESCALED) {
      return load4<INPUTS>((const float*)x, column);
    } else if constexpr (INPUTS % 4 == 0) {
      if (column >= INPUTS) return make_float4(0, 0, 0, 0);
      struct alignas(4 * sizeof(SAMPLE)) Four { SAMPLE x, y, z, w; };
      Four v = *(const Four*)(x + column);
      return make_float4(value(v.x), value(v.y), value(v.z), value(v.w));
    } else {
      return make_float4(column < INPUTS ? value(x[column]) : 0,
                         column + 1 < INPUTS ? value(x[column + 1]) : 0,
                         column + 2 < INPUTS ? value(x[column + 2]) : 0,
                         column + 3 < INPUTS ? value(x[column + 3]) : 0);
    }
  }
};

// Where layers begin in the flat array of parameters.
constexpr int LAYER_1 = 0;
constexpr int LAYER_2 = LAYER_1 + (INPUTS + 1) * HIDDEN_1;
constexpr int LAYER_3 = LAYER_2 + (HIDDEN_1 + 1) * HIDDEN_2;
constexpr bool ALIGNED_1 = HIDDEN_1 % 4 == 0;
constexpr bool ALIGNED_2 = HIDDEN_2 % 4 == 0 && LAYER_2 % 4 == 0;
constexpr bool ALIGNED_3 = CLASSES % 4 == 0 && LAYER_3 % 4 == 0;

// ---- 1: the first layer ----

// A block has 8 rows and 16 columns of y1. 32 threads share a column: thread s takes
// the inputs 4s to 4s + 3 of every 128.
constexpr int FIRST_THREADS = 512, FIRST_ROWS = 8, FIRST_COLUMNS = 16;
constexpr int SHARES = FIRST_THREADS / FIRST_COLUMNS;
constexpr int FOURS = ceil_div(INPUTS < 1024 ? INPUTS : 1024, 4 * SHARES);
constexpr int INPUTS_AT_ONCE = 4 * SHARES * FOURS;

extern "C" __global__ void __launch_bounds__(512) dense_step_first(
    Batch batch, const int* row, const int* step, Note* note,
    const float* __restrict__ parameters, float* __restrict__ y1) {
  __shared__ __align__(16) float x[FIRST_ROWS][INPUTS_AT_ONCE];
  __shared__ float parts[FIRST_THREADS / 32][FIRST_ROWS][FIRST_COLUMNS];
  const int t = threadIdx.x, share = t / FIRST_COLUMNS;
  const int row_0 = blockIdx.x * FIRST_ROWS;
  const int column = blockIdx.y * FIRST_COLUMNS + t % FIRST_COLUMNS;
  const float* weights = parameters + LAYER_1;
  batch.look_up();
  const int first = *row;
  if (t == 0 && blockIdx.x == 0 && blockIdx.y == 0) *note = {first, *step};

  float sums[FIRST_ROWS] = {};
  for (int k_0 = 0; k_0 < INPUTS; k_0 += INPUTS_AT_ONCE) {
    // Asked for before the rows, so that both are on their way at once.
    float w[FOURS][4];
#pragma unroll
    for (int q = 0; q < FOURS; ++q) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int k = k_0 + (q * SHARES + share) * 4 + i;
        w[q][i] = k < INPUTS && column < HIDDEN_1 ? weights[k * HIDDEN_1 + column] : 0;
      }
    }
    for (int i = t; i < FIRST_ROWS * INPUTS_AT_ONCE / 4; i += FIRST_THREADS) {
      const int r = i / (INPUTS_AT_ONCE / 4), k = i % (INPUTS_AT_ONCE / 4) * 4;
      const bool there = row_0 + r < batch.size;
      four(&x[r][k]) = there ? batch.load(batch.at(first, row_0 + r), k_0 + k)
                             : make_float4(0, 0, 0, 0);
    }
    __syncthreads();
#pragma unroll
    for (int q = 0; q < FOURS; ++q) {
      const float4 own = make_float4(w[q][0], w[q][1], w[q][2], w[q][3]);
#pragma unroll
      for (int r = 0; r < FIRST_ROWS; ++r) {
        sums[r] += dot(four(&x[r][(q * SHARES + share) * 4]), own);
      }
    }
    __syncthreads();
  }

#pragma unroll
  for (int r = 0; r < FIRST_ROWS; ++r) {
    // A warp has two shares of the 16 columns.
    const float both = sums[r] + __shfl_xor_sync(ALL_LANES, sums[r], FIRST_COLUMNS);
    if (t % 32 < FIRST_COLUMNS) parts[t / 32][r][t % 32] = both;
  }
  __syncthreads();
  const int r = t / FIRST_COLUMNS;
  if (r < FIRST_ROWS && row_0 + r < batch.size && column < HIDDEN_1) {
    float z = weights[INPUTS * HIDDEN_1 + column];
    for (int i = 0; i < FIRST_THREADS / 32; ++i) z += parts[i][r][t % FIRST_COLUMNS];
    y1[(row_0 + r) * HIDDEN_1 + column] = ReLU{}.value(z);
  }
}

// ---- 2: the layers after it, the loss, and all dz ----

// A block has one row. It reads W2 twice; the second time it is in the cache.
constexpr int REST_THREADS = 512, REST_WARPS = REST_THREADS / 32;
constexpr int COLUMN_FOURS = ceil_div(HIDDEN_2, 4);
constexpr int SHARES_2 = REST_THREADS / COLUMN_FOURS;

extern "C" __global__ void __launch_bounds__(512) dense_step_rest(
    Batch batch, int* row, int* step, const Note* note,
    const float* __restrict__ parameters, const float* __restrict__ y1,
    float* __restrict__ y2, float* __restrict__ dz3, float* __restrict__ dz2,
    float* __restrict__ dz1, float* __restrict__ losses, float* __restrict__ hits) {
  __shared__ __align__(16) float parts[SHARES_2][COLUMN_FOURS * 4];
  __shared__ __align__(16) float d2[COLUMN_FOURS * 4];
  __shared__ float h1[HIDDEN_1], h2[HIDDEN_2], z3[CLASSES], d3[CLASSES];
  const int t = threadIdx.x, lane = t % 32, warp = t / 32, i = blockIdx.x;
  const float *w2 = parameters + LAYER_2, *w3 = parameters + LAYER_3;
  const Note now = *note;
  if (t == 0 && i == 0) {
    *row = now.row + batch.size;
    *step = now.step + 1;
  }

  for (int k = t; k < HIDDEN_1; k += REST_THREADS) h1[k] = y1[i * HIDDEN_1 + k];
  __syncthreads();

  if (t < SHARES_2 * COLUMN_FOURS) {  // y2 = relu(y1 W2 + b2), four columns a thread
    const int column = t % COLUMN_FOURS * 4;
    float4 z = make_float4(0, 0, 0, 0);
#pragma unroll 8
    for (int k = t / COLUMN_FOURS; k < HIDDEN_1; k += SHARES_2) {
      add_scaled(z, h1[k], load4<HIDDEN_2, ALIGNED_2>(w2 + k * HIDDEN_2, column));
    }
    four(&parts[t / COLUMN_FOURS][column]) = z;
  }
  __syncthreads();
  for (int j = t; j < HIDDEN_2; j += REST_THREADS) {
    float z = w2[HIDDEN_1 * HIDDEN_2 + j];
    for (int share = 0; share < SHARES_2; ++share) z += parts[share][j];
    y2[i * HIDDEN_2 + j] = h2[j] = ReLU{}.value(z);
  }
  __syncthreads();

  for (int c = warp; c < CLASSES; c += REST_WARPS) {  // z3 = y2 W3 + b3, a warp each
    float z = 0;
    for (int k = lane; k < HIDDEN_2; k += 32) z += h2[k] * w3[k * CLASSES + c];
    z = warp_sum(z);
    if (lane == 0) z3[c] = z + w3[HIDDEN_2 * CLASSES + c];
  }
  __syncthreads();

  if (warp == 0) {  // softmax with cross-entropy, and its gradient of the mean
    REAL top = -__int_as_float(0x7f800000);
    for (int c = lane; c < CLASSES; c += 32) top = larger(z3[c], top);
    top = warp_maximum(top);
    float total = 0;
    int best = CLASSES;  // the first of the largest; none is, if one is NaN
    for (int c = lane; c < CLASSES; c += 32) {
      total += exp(z3[c] - top);
      if (z3[c] == top) best = min(best, c);
    }
    total = warp_sum(total);
    for (int d = 16; d > 0; d /= 2) {
      best = min(best, __shfl_xor_sync(ALL_LANES, best, d));
    }
    batch.look_up();
    const int label = (int)batch.labels[batch.at(now.row, i)];
    for (int c = lane; c < CLASSES; c += 32) {
      const float p = exp(z3[c] - top) / total;
      dz3[i * CLASSES + c] = d3[c] = (p - (c == label)) / batch.size;
    }
    if (lane == 0) {
      losses[i] = log(total) - (z3[label] - top);
      hits[i] = best == label;
    }
  }
  __syncthreads();

  for (int j = t; j < COLUMN_FOURS * 4; j += REST_THREADS) {  // dz2 = dz3 W3^T by y2
    float d = 0;
    if (j < HIDDEN_2) {
      for (int c = 0; c < CLASSES; ++c) d += d3[c] * w3[j * CLASSES + c];
      dz2[i * HIDDEN_2 + j] = d = ReLU{}.gradient(h2[j], d);
    }
    d2[j] = d;
  }
  __syncthreads();

#pragma unroll 8
  for (int j = warp; j < HIDDEN_1; j += REST_WARPS) {  // dz1 = dz2 W2^T by y1
    float d = 0;
    for (int q = lane; q < COLUMN_FOURS; q += 32) {
      d += dot(load4<HIDDEN_2, ALIGNED_2>(w2 + j * HIDDEN_2, q * 4), four(&d2[q * 4]));
    }
    d = warp_sum(d);
    if (lane == 0) dz1[i * HIDDEN_1 + j] = ReLU{}.gradient(h1[j], d);
  }
}

// ---- 3: the gradients of the weights, tile by tile, and the optimizer ----

// A block has 32 x 32 numbers of dW. 4 groups of 64 threads take every fourth sample;
// a thread has 4 x 4 numbers.
constexpr int UPDATE_THREADS = 256, TILE = 32, GROUPS = 4, SAMPLES_AT_ONCE = 128;
static_assert(GROUPS * TILE == SAMPLES_AT_ONCE, "the groups' sums need as much room");

__host__ __device__ constexpr int across(int outputs) { return ceil_div(outputs, TILE); }
__host__ __device__ constexpr int tiles(int inputs, int outputs) {
  return ceil_div(inputs + 1, TILE) * across(outputs);
}
constexpr int TILES_1 = tiles(INPUTS, HIDDEN_1), TILES_2 = tiles(HIDDEN_1, HIDDEN_2);
constexpr int TILES_3 = tiles(HIDDEN_2, CLASSES);

// Constants of the optimizer, and what is kept for each parameter.
struct Optimizer {
  const float* learning_rate;
  float *m, *v;
  double beta_1, log_beta_1, beta_2, log_beta_2, epsilon;  // beta_1: also the momentum
  bool nesterov;
};

#if RULE == 2
using Rule = AdamStep;
__device__ inline void change(const Rule& rule, float& w, float dw, float& m, float& v) {
  w -= adam_move(rule, dw, m, v);
}
#else
struct Rule {
  float rate, momentum;
  bool nesterov;
};
__device__ inline void change(const Rule& rule, float& w, float dw, float& m, float& v) {
#if RULE == 1
  momentum_step(rule.rate, rule.momentum, rule.nesterov, w, dw, v);
#else
  w -= rule.rate * dw;
#endif
}
#endif

// By all threads of a block.
__device__ inline Rule rule_at(const Optimizer& o, int step) {
#if RULE == 2
  return adam_step(step, *o.learning_rate, o.beta_1, o.log_beta_1, o.beta_2,
                   o.log_beta_2, o.epsilon);
#else
  return {*o.learning_rate, (float)o.beta_1, o.nesterov};
#endif
}

// Updates a tile of a layer whose parameters begin at `begin`. `input(s, k)` returns
// four inputs of sample s.
template <int IN, int OUT, bool ALIGNED, class Input>
__device__ void update_tile(int tile, int size, const Input& input, const float* dz,
                            const Rule& rule, float* parameters,
                            const Optimizer& optimizer, int begin, float (*x)[TILE],
                            float (*d)[TILE]) {
  const int t = threadIdx.x, row_0 = tile / across(OUT) * TILE;
  const int column_0 = tile % across(OUT) * TILE;

  // A thread changes four numbers of one row, and asks for them early.
  const int row = row_0 + t / 8, column = column_0 + t % 8 * 4;
  const bool own = row <= IN;
  const int at = begin + (own ? row : 0) * OUT;
  float4 w = load4<OUT, ALIGNED>(parameters + at, column), m = {}, v = {};
  if (RULE == 2) m = load4<OUT, ALIGNED>(optimizer.m + at, column);
  if (RULE >= 1) v = load4<OUT, ALIGNED>(optimizer.v + at, column);

  const int group = t / 64, r = t % 64 / 8 * 4, c = t % 8 * 4;
  float4 sums[4] = {};
  for (int s_0 = 0; s_0 < size; s_0 += SAMPLES_AT_ONCE) {
    for (int i = t; i < SAMPLES_AT_ONCE * TILE / 4; i += UPDATE_THREADS) {
      const int s = i / (TILE / 4), q = i % (TILE / 4) * 4, k = row_0 + q;
      float4 a = make_float4(0, 0, 0, 0), b = a;
      if (s_0 + s < size) {
        a = input(s_0 + s, k);
        if (k == IN) a.x = 1;
        if (k + 1 == IN) a.y = 1;
        if (k + 2 == IN) a.z = 1;
        if (k + 3 == IN) a.w = 1;
        b = load4<OUT>(dz + (s_0 + s) * OUT, column_0 + q);
      }
      four(&x[s][q]) = a;
      four(&d[s][q]) = b;
    }
    __syncthreads();
#pragma unroll 8
    for (int s = group; s < SAMPLES_AT_ONCE; s += GROUPS) {
      const float4 a = four(&x[s][r]), b = four(&d[s][c]);
      add_scaled(sums[0], a.x, b);
      add_scaled(sums[1], a.y, b);
      add_scaled(sums[2], a.z, b);
      add_scaled(sums[3], a.w, b);
    }
    __syncthreads();
  }

#pragma unroll
  for (int i = 0; i < 4; ++i) four(&x[group * TILE + r + i][c]) = sums[i];
  __syncthreads();
  float4 dw = make_float4(0, 0, 0, 0);
#pragma unroll
  for (int g = 0; g < GROUPS; ++g) {
    add_scaled(dw, 1, four(&x[g * TILE + t / 8][t % 8 * 4]));
  }
  if (!own) return;
  change(rule, w.x, dw.x, m.x, v.x);
  change(rule, w.y, dw.y, m.y, v.y);
  change(rule, w.z, dw.z, m.z, v.z);
  change(rule, w.w, dw.w, m.w, v.w);
  store4<OUT, ALIGNED>(parameters + at, column, w);
  if (RULE == 2) store4<OUT, ALIGNED>(optimizer.m + at, column, m);
  if (RULE >= 1) store4<OUT, ALIGNED>(optimizer.v + at, column, v);
}

// Sums of the epoch, and those of the batch. Without a metric the last four are null.
struct Statistics {
  float *loss, *count, *batch_loss, *batch_count;
  int *correct, *counted, *batch_correct, *batch_counted;
};

__device__ inline void add_statistics(int size, const float* losses, const float* hits,
                                      const Statistics& s) {
  double loss = 0, right = 0;
  for (int i = threadIdx.x; i < size; i += UPDATE_THREADS) {
    loss += losses[i];
    right += hits[i];
  }
  loss = block_sum(loss);
  right = block_sum(right);
  if (threadIdx.x) return;
  *s.loss += *s.batch_loss = (float)loss;
  *s.count += *s.batch_count = (float)size;
  if (!s.correct) return;
  *s.correct += *s.batch_correct = (int)right;
  *s.counted += *s.batch_counted = size;
}

extern "C" __global__ void __launch_bounds__(256, 2) dense_step_update(
    Batch batch, const Note* note, Optimizer optimizer, float* parameters,
    const float* __restrict__ y1, const float* __restrict__ y2,
    const float* __restrict__ dz1, const float* __restrict__ dz2,
    const float* __restrict__ dz3, const float* __restrict__ losses,
    const float* __restrict__ hits, Statistics statistics) {
  __shared__ __align__(16) float x[SAMPLES_AT_ONCE][TILE], d[SAMPLES_AT_ONCE][TILE];
  batch.look_up();
  const Note now = *note;
  const Rule rule = rule_at(optimizer, now.step + 1);
  int tile = blockIdx.x;
  if (tile < TILES_1) {
    auto input = [&](int s, int k) { return batch.load(batch.at(now.row, s), k); };
    return update_tile<INPUTS, HIDDEN_1, ALIGNED_1>(
        tile, batch.size, input, dz1, rule, parameters, optimizer, LAYER_1, x, d);
  }
  if ((tile -= TILES_1) < TILES_2) {
    auto input = [&](int s, int k) { return load4<HIDDEN_1>(y1 + s * HIDDEN_1, k); };
    return update_tile<HIDDEN_1, HIDDEN_2, ALIGNED_2>(
        tile, batch.size, input, dz2, rule, parameters, optimizer, LAYER_2, x, d);
  }
  if ((tile -= TILES_2) < TILES_3) {
    auto input = [&](int s, int k) { return load4<HIDDEN_2>(y2 + s * HIDDEN_2, k); };
    return update_tile<HIDDEN_2, CLASSES, ALIGNED_3>(
        tile, batch.size, input, dz3, rule, parameters, optimizer, LAYER_3, x, d);
  }
  add_statistics(batch.size, losses, hits, statistics);
}
