// Gradient clipping. The references are clip_to_value and clip_to_norm in
// nnfs_xp/optimizers/clipping.py.

extern "C" __global__ void clip_to_value(int64 n, const REAL* gradient, REAL* clipped,
                                         double limit) {
  REAL high = (REAL)limit;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL g = gradient[i];
    // Neither is true of NaN.
    clipped[i] = g > high ? high : g < -high ? -high : g;
  }
}

// The squared norm of a block's part of a gradient, as two numbers: the largest
// magnitude, moved into [smallest, 1 / smallest], and the sum of squares of all entries
// over it. They go to parts[2 k] and parts[2 k + 1], k being `first` and the number of
// the block.
extern "C" __global__ void clip_to_norm_parts(int64 n, const REAL* gradient,
                                              double smallest, int64 first,
                                              double* parts) {
  REAL largest = (REAL)smallest;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    largest = larger(largest, fabs(gradient[i]));
  }
  double scale = block_maximum(largest);
  if (scale > 1.0 / smallest) scale = 1.0 / smallest;
  double sum = 0.0;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL scaled = gradient[i] / (REAL)scale;
    sum += scaled * scaled;
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    double* own = parts + 2 * (first + blockIdx.x);
    own[0] = scale;
    own[1] = sum;
  }
}

// Every block puts all parts together once more, in the same order.
extern "C" __global__ void clip_to_norm(int64 n, const REAL* gradient, REAL* clipped,
                                        double smallest, double limit, int64 count,
                                        const double* parts) {
  REAL largest = (REAL)smallest;
  for (int64 k = threadIdx.x; k < count; k += blockDim.x) {
    largest = larger(largest, (REAL)parts[2 * k]);
  }
  double scale = block_maximum(largest);
  double sum = 0.0;
  for (int64 k = threadIdx.x; k < count; k += blockDim.x) {
    double ratio = parts[2 * k] / scale;
    sum += parts[2 * k + 1] * (ratio * ratio);
  }
  // Infinite where all gradients are 0.
  double allowed = limit / sqrt(block_sum(sum));
  // Not true of NaN, which so spreads to all entries.
  bool small_enough = scale <= allowed;
  REAL divisor = (REAL)scale, factor = (REAL)allowed;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    clipped[i] = small_enough ? gradient[i] : gradient[i] / divisor * factor;
  }
}
