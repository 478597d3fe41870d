// Layer normalization. Threads go through rows as sum_of_row has it.
//
// layer_norm             nnfs_xp/layers/layer_norm.py: layer_norm
// layer_norm_backward    nnfs_xp/layers/layer_norm.py: layer_norm_backward
// layer_norm_gradients   nnfs_xp/layers/layer_norm.py: layer_norm_backward

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
  REAL mean = sum_of_row(sum) / k;
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    REAL centred = x[begin + j] - mean;
    squares += centred * centred;
  }
  REAL factor = 1 / sqrt(sum_of_row(squares) / k + eps);
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    REAL own = (x[begin + j] - mean) * factor;
    normal[begin + j] = own;
    y[begin + j] = gamma[j] * own + beta[j];
  }
  if (threadIdx.x == 0) factors[row] = factor;
}

// dx = factor (g - mean(g) - normal mean(g normal)), with g = gamma dy.
extern "C" __global__ void layer_norm_backward(const REAL* __restrict__ normal,
                                               const REAL* __restrict__ factors,
                                               const REAL* __restrict__ gamma,
                                               const REAL* __restrict__ dy,
                                               REAL* __restrict__ dx, int64 n,
                                               int64 k) {
  int64 row = (int64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= n) return;
  int64 begin = row * k;
  REAL sum = 0, products = 0;
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    REAL g = gamma[j] * dy[begin + j];
    sum += g;
    products += g * normal[begin + j];
  }
  REAL mean = sum_of_row(sum) / k, slope = sum_of_row(products) / k;
  REAL factor = factors[row];
  for (int64 j = threadIdx.x; j < k; j += blockDim.x) {
    REAL g = gamma[j] * dy[begin + j];
    dx[begin + j] = factor * (g - mean - normal[begin + j] * slope);
  }
}

// The sums of dy normal and of dy over the rows, in blocks for write_column_sums.
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
  __syncthreads();  // its shared memory is written to again
  write_column_sums(sum, width, k, dbeta);
}
