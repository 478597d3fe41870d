// Softmax with categorical cross-entropy.
//
// softmax_cross_entropy                  nnfs_xp/losses/softmax_cross_entropy.py, each
// softmax_cross_entropy_backward         by its name
// softmax_cross_entropy_with_gradient
//
// Threads go through rows as sum_of_row has it.

// Labels of 4 or 8 bytes, or, if `label_bytes` is 0, rows of targets.
struct Targets {
  const void* values;
  int label_bytes;
  int64 k;

  __device__ bool are_rows() const { return label_bytes == 0; }

  // -1, which is no class, if there are rows instead of labels.
  __device__ int64 label(int64 row) const {
    return are_rows() ? -1 : integer_at(values, label_bytes, row);
  }

  __device__ REAL at(int64 row, int64 label, int64 column) const {
    if (are_rows()) return ((const REAL*)values)[row * k + column];
    return column == label ? 1 : 0;
  }
};

// The sum of the targets of a row, which is 1 for a label.
__device__ inline REAL sum_of_targets(const Targets& targets, int64 row) {
  if (!targets.are_rows()) return 1;
  REAL sum = 0;
  for (int64 j = threadIdx.x; j < targets.k; j += blockDim.x) {
    sum += targets.at(row, -1, j);
  }
  return sum_of_row(sum);
}

// Calls `use(column, p, y)` for each column of a row, with the softmax and the target,
// and writes the loss of the row.
template <class Use>
__device__ void softmax_of_row(const REAL* z, const Targets& targets, int64 row,
                               REAL* losses, Use use) {
  int64 k = targets.k, label = targets.label(row);
  const REAL* scores = z + row * k;
  // Of NaN and of no score below it the larger is the first, so the search may begin
  // anywhere: here where there is a score for every thread.
  REAL top = scores[threadIdx.x < k ? threadIdx.x : 0];
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) top = larger(top, scores[j]);
  top = maximum_of_row(top);
  REAL total = 0;
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) total += exp(scores[j] - top);
  total = sum_of_row(total);
  REAL log_total = log(total), loss = 0;
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    REAL shifted = scores[j] - top, y = targets.at(row, label, j);
    // 0 log 0 counts as 0, also for a score of -infinity.
    loss -= y * (y > 0 ? shifted - log_total : 0);
    use(j, exp(shifted) / total, y);
  }
  loss = sum_of_row(loss);
  if (threadIdx.x == 0) losses[row] = loss;
}

extern "C" __global__ void softmax_cross_entropy(const REAL* __restrict__ z,
                                                 const void* targets, int label_bytes,
                                                 REAL* __restrict__ losses,
                                                 REAL* __restrict__ p, int64 n,
                                                 int64 k) {
  Targets y_true{targets, label_bytes, k};
  int64 row = (int64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= n) return;
  softmax_of_row(z, y_true, row, losses,
                 [&](int64 j, REAL own, REAL) { p[row * k + j] = own; });
}

// dz = (p sum(y) - y) times the weight of the sample, or of all samples if there is no
// array of them.
extern "C" __global__ void softmax_cross_entropy_backward(
    const REAL* __restrict__ p, const void* targets, int label_bytes,
    const REAL* __restrict__ weights, REAL weight, REAL* __restrict__ dz, int64 n,
    int64 k) {
  Targets y_true{targets, label_bytes, k};
  int64 row = (int64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= n) return;
  int64 label = y_true.label(row);
  if (weights) weight = weights[row];
  REAL whole = sum_of_targets(y_true, row);
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    dz[row * k + j] = (p[row * k + j] * whole - y_true.at(row, label, j)) * weight;
  }
}

// Both in one, without p in memory.
extern "C" __global__ void softmax_cross_entropy_with_gradient(
    const REAL* __restrict__ z, const void* targets, int label_bytes,
    const REAL* __restrict__ weights, REAL weight, REAL* __restrict__ losses,
    REAL* __restrict__ dz, int64 n, int64 k) {
  Targets y_true{targets, label_bytes, k};
  int64 row = (int64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= n) return;
  if (weights) weight = weights[row];
  REAL whole = sum_of_targets(y_true, row);
  softmax_of_row(z, y_true, row, losses, [&](int64 j, REAL p, REAL y) {
    dz[row * k + j] = (p * whole - y) * weight;
  });
}
