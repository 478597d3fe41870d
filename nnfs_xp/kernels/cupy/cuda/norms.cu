// Normalization of rows, through which threads go as sum_of_row has it, and of columns.
//
// layer_norm             nnfs_xp/layers/layer_norm.py: layer_norm
// layer_norm_backward    nnfs_xp/layers/layer_norm.py: layer_norm_backward
// layer_norm_gradients   nnfs_xp/layers/layer_norm.py: layer_norm_backward
// group_norm             nnfs_xp/layers/group_norm.py: group_norm
// group_norm_backward    nnfs_xp/layers/group_norm.py: group_norm_backward
// batch_norm_parts       nnfs_xp/layers/batch_normalization.py: batch_norm
// batch_norm             nnfs_xp/layers/batch_normalization.py: batch_norm
// batch_norm_sums        nnfs_xp/layers/batch_normalization.py: batch_norm_backward
// batch_norm_backward    nnfs_xp/layers/batch_normalization.py: batch_norm_backward

// Without beta there is no mean either: x is divided by the root of its mean square, as
// nnfs_xp/layers/rms_norm.py has it.
extern "C" __global__ void layer_norm(const REAL* __restrict__ x,
                                      const REAL* __restrict__ gamma,
                                      const REAL* __restrict__ beta,
                                      REAL* __restrict__ y, REAL* __restrict__ normal,
                                      REAL* __restrict__ factors, REAL eps, int64 n,
                                      int64 k) {
  int64 row = (int64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= n) return;
  int64 begin = row * k;
  REAL sum = 0, squares = 0;
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) sum += x[begin + j];
  REAL mean = beta ? sum_of_row(sum) / k : 0;
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    REAL centred = x[begin + j] - mean;
    squares += centred * centred;
  }
  REAL factor = 1 / sqrt(sum_of_row(squares) / k + eps);
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    REAL own = (x[begin + j] - mean) * factor;
    normal[begin + j] = own;
    y[begin + j] = gamma[j] * own + (beta ? beta[j] : 0);
  }
  if (threadIdx.x == 0) factors[row] = factor;
}

// dx = factor (g - mean(g) - normal mean(g normal)), with g = gamma dy; without mean(g)
// if nothing was centred.
extern "C" __global__ void layer_norm_backward(const REAL* __restrict__ normal,
                                               const REAL* __restrict__ factors,
                                               const REAL* __restrict__ gamma,
                                               const REAL* __restrict__ dy,
                                               REAL* __restrict__ dx, bool centred,
                                               int64 n, int64 k) {
  int64 row = (int64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= n) return;
  int64 begin = row * k;
  REAL sum = 0, products = 0;
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    REAL g = gamma[j] * dy[begin + j];
    sum += g;
    products += g * normal[begin + j];
  }
  REAL mean = centred ? sum_of_row(sum) / k : 0, slope = sum_of_row(products) / k;
  REAL factor = factors[row];
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    REAL g = gamma[j] * dy[begin + j];
    dx[begin + j] = factor * (g - mean - normal[begin + j] * slope);
  }
}

// The sums of dy normal and of dy over the rows, in blocks for write_column_sums.
// Without dbeta the second is left out.
extern "C" __global__ void __launch_bounds__(1024)
layer_norm_gradients(const REAL* __restrict__ normal, const REAL* __restrict__ dy,
                     REAL* __restrict__ dgamma, REAL* __restrict__ dbeta, int64 n,
                     int64 k, int width) {
  int64 column = (int64)blockIdx.x * width + threadIdx.x % width;
  REAL products = 0, sum = 0;
  if (column < k) {
#pragma unroll ROWS_AT_ONCE
    for (int64 row = threadIdx.x / width; row < n; row += 1024 / width) {
      REAL gradient = dy[row * k + column];
      products += gradient * normal[row * k + column];
      sum += gradient;
    }
  }
  write_column_sums(products, width, k, dgamma);
  if (!dbeta) return;
  __syncthreads();  // its shared memory is written to again
  write_column_sums(sum, width, k, dbeta);
}

// A group of channels of a sample, in all of its positions, for one block. There are
// `k` channels, `width` of them in each group.
struct Group {
  int64 begin, k, count;
  int width, first_channel;

  __device__ Group(int64 positions, int64 k, int groups) : k(k) {
    int64 sample = blockIdx.x / groups;
    width = (int)(k / groups);
    first_channel = (int)(blockIdx.x % groups) * width;
    begin = sample * positions * k + first_channel;
    count = positions * width;
  }

  __device__ int channel(int64 i) const { return first_channel + (uint32)i % width; }

  // Where a value is; there are less than 2^32 in a group.
  __device__ int64 at(int64 i) const {
    return begin + (uint32)i / width * k + (uint32)i % width;
  }
};

extern "C" __global__ void group_norm(const REAL* __restrict__ x,
                                      const REAL* __restrict__ gamma,
                                      const REAL* __restrict__ beta,
                                      REAL* __restrict__ y, REAL* __restrict__ normal,
                                      REAL* __restrict__ factors, REAL eps,
                                      int64 positions, int64 k, int groups) {
  Group group(positions, k, groups);
  REAL sum = 0, squares = 0;
  for (int64 i = threadIdx.x; i < group.count; i += blockDim.x) sum += x[group.at(i)];
  REAL mean = block_sum(sum) / group.count;
  for (int64 i = threadIdx.x; i < group.count; i += blockDim.x) {
    REAL centred = x[group.at(i)] - mean;
    squares += centred * centred;
  }
  REAL factor = 1 / sqrt(block_sum(squares) / group.count + eps);
  for (int64 i = threadIdx.x; i < group.count; i += blockDim.x) {
    int64 at = group.at(i);
    int channel = group.channel(i);
    REAL own = (x[at] - mean) * factor;
    normal[at] = own;
    y[at] = gamma[channel] * own + beta[channel];
  }
  if (threadIdx.x == 0) factors[blockIdx.x] = factor;
}

// As layer_norm_backward, with the means over a group.
extern "C" __global__ void group_norm_backward(const REAL* __restrict__ normal,
                                               const REAL* __restrict__ factors,
                                               const REAL* __restrict__ gamma,
                                               const REAL* __restrict__ dy,
                                               REAL* __restrict__ dx, int64 positions,
                                               int64 k, int groups) {
  Group group(positions, k, groups);
  REAL sum = 0, products = 0;
  for (int64 i = threadIdx.x; i < group.count; i += blockDim.x) {
    int64 at = group.at(i);
    REAL g = gamma[group.channel(i)] * dy[at];
    sum += g;
    products += g * normal[at];
  }
  REAL mean = block_sum(sum) / group.count, slope = block_sum(products) / group.count;
  REAL factor = factors[blockIdx.x];
  for (int64 i = threadIdx.x; i < group.count; i += blockDim.x) {
    int64 at = group.at(i);
    REAL g = gamma[group.channel(i)] * dy[at];
    dx[at] = factor * (g - mean - normal[at] * slope);
  }
}

// A block's share of an array: `width` columns, a power of 2, and some rows, which
// blockDim.x / width threads of each column take in turn. blockIdx.y is the part.
struct Share {
  int64 column, begin, end;
  int step;
  bool first;  // whether this is the first thread of its column, in the first part

  __device__ Share(int64 n, int64 k, int64 rows, int width) {
    column = (int64)blockIdx.x * width + threadIdx.x % width;
    begin = blockIdx.y * rows + threadIdx.x / width;
    end = (blockIdx.y + 1) * rows < n ? (blockIdx.y + 1) * rows : n;
    if (column >= k) end = begin;
    step = blockDim.x / width;
    first = blockIdx.y == 0 && threadIdx.x < width && column < k;
  }
};

// How many rows a part has.
__device__ inline int64 rows_of_part(int64 part, int64 rows, int64 n) {
  return (part + 1) * rows < n ? rows : n - part * rows;
}

// The sum over the threads of a column, in each of them, of blocks of 256.
__device__ inline REAL sum_of_column(REAL value, int width) {
  __shared__ REAL of_thread[256];
  of_thread[threadIdx.x] = value;
  __syncthreads();
  for (int half = blockDim.x / 2; half >= width; half /= 2) {
    if (threadIdx.x < half) of_thread[threadIdx.x] += of_thread[threadIdx.x + half];
    __syncthreads();
  }
  value = of_thread[threadIdx.x % width];
  __syncthreads();  // the array may be written to again
  return value;
}

// Two numbers for each part and column.
__device__ inline void write_part(REAL* parts, const Share& share, int64 k, int width,
                                  REAL one, REAL other) {
  if (threadIdx.x >= width || share.column >= k) return;
  REAL* own = parts + (blockIdx.y * k + share.column) * 2;
  own[0] = one;
  own[1] = other;
}

// The mean, and the sum of the squares of what is above or below it.
extern "C" __global__ void __launch_bounds__(256)
batch_norm_parts(const REAL* __restrict__ x, REAL* __restrict__ parts, int64 n, int64 k,
                 int64 rows, int width) {
  Share share(n, k, rows, width);
  REAL sum = 0, squares = 0;
  for (int64 row = share.begin; row < share.end; row += share.step) {
    sum += x[row * k + share.column];
  }
  REAL mean = sum_of_column(sum, width) / rows_of_part(blockIdx.y, rows, n);
  for (int64 row = share.begin; row < share.end; row += share.step) {
    REAL centred = x[row * k + share.column] - mean;
    squares += centred * centred;
  }
  write_part(parts, share, k, width, mean, sum_of_column(squares, width));
}

// Parts are put together as Chan, Golub and LeVeque have it, in their order. Four blocks
// have the registers that this takes; for eight some would be spilled.
extern "C" __global__ void __launch_bounds__(256, 4)
batch_norm(const REAL* __restrict__ x, const REAL* __restrict__ parts,
           const REAL* __restrict__ gamma, const REAL* __restrict__ beta,
           const REAL* __restrict__ old_mean, const REAL* __restrict__ old_variance,
           REAL* __restrict__ y, REAL* __restrict__ normal, REAL* __restrict__ factors,
           REAL* __restrict__ new_mean, REAL* __restrict__ new_variance, REAL momentum,
           REAL eps, int64 n, int64 k, int64 rows, int width) {
  Share share(n, k, rows, width);
  if (share.column >= k) return;
  REAL mean = 0, squares = 0, count = 0;
  for (int64 part = 0; part < gridDim.y; ++part) {
    const REAL* other = parts + (part * k + share.column) * 2;
    REAL more = rows_of_part(part, rows, n), all = count + more;
    REAL apart = other[0] - mean;
    mean += apart * (more / all);
    squares += other[1] + apart * apart * (count * more / all);
    count = all;
  }
  REAL factor = 1 / sqrt(squares / n + eps);
  if (share.first) {
    factors[share.column] = factor;
    REAL before = old_mean[share.column], spread = old_variance[share.column];
    bool has_variance = n > 1;
    new_mean[share.column] =
        has_variance ? (1 - momentum) * before + momentum * mean : before;
    new_variance[share.column] =
        has_variance ? (1 - momentum) * spread + momentum * (squares / (n - 1)) : spread;
  }
  REAL gain = gamma[share.column], shift = beta[share.column];
  for (int64 row = share.begin; row < share.end; row += share.step) {
    int64 i = row * k + share.column;
    REAL own = (x[i] - mean) * factor;
    normal[i] = own;
    y[i] = gain * own + shift;
  }
}

// The sums of dy normal and of dy.
extern "C" __global__ void __launch_bounds__(256)
batch_norm_sums(const REAL* __restrict__ normal, const REAL* __restrict__ dy,
                REAL* __restrict__ parts, int64 n, int64 k, int64 rows, int width) {
  Share share(n, k, rows, width);
  REAL products = 0, sum = 0;
  for (int64 row = share.begin; row < share.end; row += share.step) {
    REAL gradient = dy[row * k + share.column];
    products += gradient * normal[row * k + share.column];
    sum += gradient;
  }
  products = sum_of_column(products, width);
  write_part(parts, share, k, width, products, sum_of_column(sum, width));
}

extern "C" __global__ void __launch_bounds__(256)
batch_norm_backward(const REAL* __restrict__ normal, const REAL* __restrict__ factors,
                    const REAL* __restrict__ gamma, const REAL* __restrict__ dy,
                    const REAL* __restrict__ parts, REAL* __restrict__ dx,
                    REAL* __restrict__ dgamma, REAL* __restrict__ dbeta, int64 n,
                    int64 k, int64 rows, int width) {
  Share share(n, k, rows, width);
  if (share.column >= k) return;
  REAL products = 0, sum = 0;
  for (int64 part = 0; part < gridDim.y; ++part) {
    products += parts[(part * k + share.column) * 2];
    sum += parts[(part * k + share.column) * 2 + 1];
  }
  REAL gain = gamma[share.column] * factors[share.column];
  REAL slope = products / n, mean = sum / n;
  for (int64 row = share.begin; row < share.end; row += share.step) {
    int64 i = row * k + share.column;
    dx[i] = gain * (dy[i] - mean - normal[i] * slope);
  }
  if (!share.first) return;
  dgamma[share.column] = products;
  dbeta[share.column] = sum;
}
