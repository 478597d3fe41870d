// What every kernel file may use. REAL is float or double, set when compiled.

typedef long long int64;
typedef unsigned long long uint64;
typedef unsigned int uint32;

// First element of a thread, and the stride to its next one, in a loop over all.
__device__ inline int64 first_of_thread() {
  return (int64)blockIdx.x * blockDim.x + threadIdx.x;
}

__device__ inline int64 stride_of_grid() { return (int64)gridDim.x * blockDim.x; }
