// L1 and L2. The references are l1l2_penalty and add_l1l2_gradient in
// nnfs_xp/regularizers.py.

// Adds the gradient of the penalty to that of the loss. `book` takes 1 for the sign of
// 0, and of NaN, as the reference does.
extern "C" __global__ void add_l1l2_gradient(int64 n, REAL* gradient, const REAL* w,
                                             double l1, double l2, bool book) {
  REAL slope = (REAL)(2.0 * l2), step = (REAL)l1;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL added = slope * w[i];
    if (step != 0) {
      // 0 and NaN are what they are.
      REAL at_zero = book ? (REAL)1 : w[i];
      added += step * (w[i] > 0 ? (REAL)1 : w[i] < 0 ? (REAL)-1 : at_zero);
    }
    gradient[i] += added;
  }
}

// Every block writes the penalty of its part.
extern "C" __global__ void l1l2_penalty_parts(int64 n, const REAL* w, double l1,
                                              double l2, double* parts) {
  REAL factor_1 = (REAL)l1, factor_2 = (REAL)l2;
  double sum = 0.0;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    // A factor of 0 times infinity is not 0.
    if (factor_1 != 0) sum += factor_1 * fabs(w[i]);
    if (factor_2 != 0) sum += factor_2 * (w[i] * w[i]);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// One block adds them up.
extern "C" __global__ void l1l2_penalty(int64 count, const double* parts,
                                        REAL* penalty) {
  double sum = 0.0;
  for (int64 k = threadIdx.x; k < count; k += blockDim.x) sum += parts[k];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *penalty = (REAL)sum;
}
