// What is left of a dense layer besides its products of matrices.
//
// bias_activation            nnfs_xp/layers/fusion.py: bias_activation
// activation_bias_backward   nnfs_xp/layers/fusion.py: the same name
// sum_over_samples           nnfs_xp/layers/products.py: sum_over_samples
// activation_forward         nnfs_xp/layers/fusion.py: activation_forward
// activation_backward        nnfs_xp/layers/fusion.py: activation_backward

// y = activation(z + b), and z += b. Where the slope follows from y, that is kept in
// the place of z, and there is no other array y.
extern "C" __global__ void bias_activation(REAL* __restrict__ z,
                                           const REAL* __restrict__ biases,
                                           REAL* __restrict__ y, int64 count, int64 k,
                                           int activation, REAL parameter) {
  with_activation(activation, parameter, [&](auto unit) {
    int64 stride = stride_of_grid(), columns = stride % k;
    int64 first = first_of_thread(), column = first % k;
    for (int64 i = first; i < count; i += stride) {
      REAL x = z[i] + biases[column];
      if (unit.from_output) {
        z[i] = unit.value(x);
      } else {
        z[i] = x;
        y[i] = unit.value(x);
      }
      column += columns;
      if (column >= k) column -= k;
    }
  });
}

// Rows that a thread reads before it uses the first. For doubles the registers of a
// block of 1024 threads would not do.
constexpr int ROWS_AT_ONCE = sizeof(REAL) == 4 ? 4 : 1;

// dz = dy times the slope, and db its sum over the samples, in blocks for
// write_column_sums.
extern "C" __global__ void __launch_bounds__(1024)
activation_bias_backward(const REAL* __restrict__ kept, const REAL* __restrict__ dy,
                         REAL* __restrict__ dz, REAL* __restrict__ db, int64 n,
                         int64 k, int width, int activation, REAL parameter) {
  int64 column = (int64)blockIdx.x * width + threadIdx.x % width;
  REAL sum = 0;
  with_activation(activation, parameter, [&](auto unit) {
    if (column >= k) return;
#pragma unroll ROWS_AT_ONCE
    for (int64 row = threadIdx.x / width; row < n; row += 1024 / width) {
      int64 i = row * k + column;
      REAL gradient = unit.gradient(kept[i], dy[i]);
      dz[i] = gradient;
      sum += gradient;
    }
  });
  write_column_sums(sum, width, k, db);
}

// The sum over the first axis, in blocks for write_column_sums.
extern "C" __global__ void __launch_bounds__(1024)
sum_over_samples(const REAL* __restrict__ dy, REAL* __restrict__ sums, int64 n,
                 int64 k, int width) {
  int64 column = (int64)blockIdx.x * width + threadIdx.x % width;
  REAL sum = 0;
  if (column < k) {
#pragma unroll 4
    for (int64 row = threadIdx.x / width; row < n; row += 1024 / width) {
      sum += dy[row * k + column];
    }
  }
  write_column_sums(sum, width, k, sums);
}

extern "C" __global__ void activation_forward(const REAL* __restrict__ x,
                                              REAL* __restrict__ y, int64 count,
                                              int activation, REAL parameter) {
  with_activation(activation, parameter, [&](auto unit) {
    for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
      y[i] = unit.value(x[i]);
    }
  });
}

// `kept` is the output or the input, as the activation wants it.
extern "C" __global__ void activation_backward(const REAL* __restrict__ kept,
                                               const REAL* __restrict__ dy,
                                               REAL* __restrict__ dx, int64 count,
                                               int activation, REAL parameter) {
  with_activation(activation, parameter, [&](auto unit) {
    for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
      dx[i] = unit.gradient(kept[i], dy[i]);
    }
  });
}
