// Sums and maxima over the threads of a block. There are as many threads as a power
// of 2, at most 256; all must call, and all get the result. Values meet in the same
// order every time, so that a sum has the same bits every time.

constexpr int kMostThreads = 256;

__device__ inline double sum_of_block(double value) {
  __shared__ double values[kMostThreads];
  values[threadIdx.x] = value;
  for (unsigned distance = blockDim.x / 2; distance > 0; distance /= 2) {
    __syncthreads();
    if (threadIdx.x < distance) values[threadIdx.x] += values[threadIdx.x + distance];
  }
  __syncthreads();
  double sum = values[0];
  // All must have read it before the next call writes.
  __syncthreads();
  return sum;
}

// Leaves NaN out.
__device__ inline double largest_of_block(double value) {
  __shared__ double values[kMostThreads];
  values[threadIdx.x] = value;
  for (unsigned distance = blockDim.x / 2; distance > 0; distance /= 2) {
    __syncthreads();
    if (threadIdx.x < distance) {
      double other = values[threadIdx.x + distance];
      if (other > values[threadIdx.x]) values[threadIdx.x] = other;
    }
  }
  __syncthreads();
  double largest = values[0];
  __syncthreads();
  return largest;
}
