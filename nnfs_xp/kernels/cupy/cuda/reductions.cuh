// Sums over threads. All go by a fixed tree, so that a sum has the same bits every
// time; atomic additions of floats would not.

constexpr unsigned ALL_LANES = 0xffffffffu;

// The sum over the lanes of a warp, in each of them.
template <class T>
__device__ T warp_sum(T value) {
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(ALL_LANES, value, distance);
  }
  return value;
}

__device__ inline REAL warp_maximum(REAL value) {
  for (int distance = 16; distance > 0; distance /= 2) {
    value = larger(value, __shfl_xor_sync(ALL_LANES, value, distance));
  }
  return value;
}

// The sum over all threads of a block of whole warps, in each of them.
template <class T>
__device__ T block_sum(T value) {
  __shared__ T of_warp[32];
  int warps = blockDim.x * blockDim.y / 32;
  int thread = threadIdx.y * blockDim.x + threadIdx.x;
  value = warp_sum(value);
  if (thread % 32 == 0) of_warp[thread / 32] = value;
  __syncthreads();
  value = warp_sum(thread % 32 < warps ? of_warp[thread % 32] : T(0));
  __syncthreads();  // the array may be written to again
  return value;
}

__device__ inline REAL block_maximum(REAL value) {
  __shared__ REAL of_warp[32];
  int warps = blockDim.x * blockDim.y / 32;
  int thread = threadIdx.y * blockDim.x + threadIdx.x;
  value = warp_maximum(value);
  if (thread % 32 == 0) of_warp[thread / 32] = value;
  __syncthreads();
  value = warp_maximum(of_warp[thread % 32 < warps ? thread % 32 : 0]);
  __syncthreads();
  return value;
}

// Sums and maxima over a row through which blockDim.x threads go: 32 of them, a warp,
// for blockDim.y rows at a time, or as many as a block has for a single long row.
__device__ inline REAL sum_of_row(REAL value) {
  return blockDim.x == 32 ? warp_sum(value) : block_sum(value);
}

__device__ inline REAL maximum_of_row(REAL value) {
  return blockDim.x == 32 ? warp_maximum(value) : block_maximum(value);
}

// Sums over columns by blocks of 1024 threads. Such a block has `width` columns, a
// power of 2 up to 32, and 1024 / width rows of threads. Each thread has summed up
// some rows of its column, and a warp has neighbouring columns, so that it reads
// whole sectors of memory.
__device__ inline void write_column_sums(REAL sum, int width, int64 k, REAL* sums) {
  __shared__ REAL of_warp[32][33];  // 33: the columns lie in different banks
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (int distance = width; distance < 32; distance *= 2) {
    sum += __shfl_xor_sync(ALL_LANES, sum, distance);
  }
  if (lane < width) of_warp[warp][lane] = sum;
  __syncthreads();
  if (warp >= width) return;
  sum = warp_sum(of_warp[lane][warp]);
  int64 column = (int64)blockIdx.x * width + warp;
  if (lane == 0 && column < k) sums[column] = sum;
}
