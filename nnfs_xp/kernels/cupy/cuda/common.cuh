// What every kernel file may use. REAL is float or double, set when compiled.

typedef long long int64;
typedef unsigned long long uint64;
typedef unsigned int uint32;

// First element of a thread, and the stride to its next one, in a loop over all.
__device__ inline int64 first_of_thread() {
  return (int64)blockIdx.x * blockDim.x + threadIdx.x;
}

__device__ inline int64 stride_of_grid() { return (int64)gridDim.x * blockDim.x; }

// The larger and the smaller of two numbers; NaN if one of them is. CUDA's own
// fmax and fmin drop NaN.
__device__ inline REAL larger(REAL a, REAL b) { return a > b || a != a ? a : b; }

__device__ inline REAL smaller(REAL a, REAL b) { return a < b || a != a ? a : b; }

// An integer of 4 or 8 bytes.
__device__ inline int64 integer_at(const void* values, int bytes, int64 index) {
  return bytes == 4 ? ((const int*)values)[index] : ((const int64*)values)[index];
}

// A number that the host gives, or, if `bytes` is not 0, one of the device.
__device__ inline int64 host_or_device(int64 value, const void* array, int bytes) {
  return bytes ? integer_at(array, bytes, 0) : value;
}

// There is no header with the macro of C.
__device__ inline REAL infinity() { return ldexp(REAL(1), 1025); }
