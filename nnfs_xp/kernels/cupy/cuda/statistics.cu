// Statistics of batches, and their sums.
//
// accumulate      nnfs_xp/engine/statistics.py: accumulate
// count_correct   nnfs_xp/metrics/accuracy.py: count_correct

// A total, and what a batch adds to it. The host describes the same struct in
// nnfs_xp/kernels/cupy/statistics.py.
struct Entry {
  void* total;
  void* batch;         // where the batch's value goes, or null
  const void* values;  // `rows` times as many as the total has elements, or null
  int64 number;        // what every element gets if there are no values
  int64 length;        // elements of the total
  int64 rows;
  int total_is_integer;
  int values_are_integers;
};

struct Entries {
  Entry entry[12];
};

// Rows up to which one thread adds up an element; above, a block does.
constexpr int64 FEW_ROWS = 32;

template <class Total, class Value>
__device__ void add_values(const Entry& entry) {
  const Value* values = (const Value*)entry.values;
  bool by_thread = entry.rows <= FEW_ROWS;
  int64 first = by_thread ? first_of_thread() : blockIdx.x;
  int64 stride = by_thread ? stride_of_grid() : gridDim.x;
  for (int64 i = first; i < entry.length; i += stride) {
    Total sum = 0;
    if (values == nullptr) {
      sum = Total(entry.number);
    } else if (by_thread) {
      for (int64 row = 0; row < entry.rows; ++row) {
        sum += Total(values[row * entry.length + i]);
      }
    } else {
      for (int64 row = threadIdx.x; row < entry.rows; row += blockDim.x) {
        sum += Total(values[row * entry.length + i]);
      }
      sum = block_sum(sum);
      if (threadIdx.x != 0) continue;
    }
    ((Total*)entry.total)[i] += sum;
    if (entry.batch) ((Total*)entry.batch)[i] = sum;
  }
}

// blockIdx.y is the number of the entry.
extern "C" __global__ void accumulate(Entries entries) {
  const Entry& entry = entries.entry[blockIdx.y];
  if (entry.total_is_integer) {
    if (entry.values_are_integers) return add_values<int, int>(entry);
    return add_values<int, REAL>(entry);
  }
  if (entry.values_are_integers) return add_values<REAL, int>(entry);
  return add_values<REAL, REAL>(entry);
}

// Whether a score comes before another one, as in NumPy's argmax: NaN before all
// numbers, and of equal scores the first.
__device__ inline bool comes_before(REAL a, int64 index_a, REAL b, int64 index_b) {
  if (a != a || b != b) return a != a && (b == b || index_a < index_b);
  return a > b || (a == b && index_a < index_b);
}

// The number of the highest score of a row, found by the lanes of a warp.
__device__ inline int64 highest_of_row(const REAL* scores, int64 k) {
  int lane = threadIdx.x % 32;
  int64 index = lane < k ? lane : 0;
  REAL best = scores[index];
  for (int64 j = lane; j < k; j += 32) {
    if (comes_before(scores[j], j, best, index)) best = scores[j], index = j;
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    REAL other = __shfl_xor_sync(ALL_LANES, best, distance);
    int64 other_index = __shfl_xor_sync(ALL_LANES, index, distance);
    if (comes_before(other, other_index, best, index)) best = other, index = other_index;
  }
  return index;
}

// Adds to counts[0] how many samples are right, and to counts[1] how many count. A
// warp takes a row at a time. One block writes the counts, several add to them, which
// for integers gives the same in any order. Targets are labels of `label_bytes`, or
// rows if that is 0.
extern "C" __global__ void count_correct(const REAL* __restrict__ y_pred,
                                         const void* y_true, int label_bytes,
                                         bool ignoring, int64 ignored, int* counts,
                                         int64 n, int64 k) {
  int warps = blockDim.x / 32, lane = threadIdx.x % 32;
  int right = 0, counted = 0;
  int64 first = (int64)blockIdx.x * warps + threadIdx.x / 32;
  for (int64 row = first; row < n; row += (int64)gridDim.x * warps) {
    int64 label = label_bytes ? integer_at(y_true, label_bytes, row)
                              : highest_of_row((const REAL*)y_true + row * k, k);
    bool counts_too = !ignoring || label != ignored;
    const REAL* scores = y_pred + row * k;
    int64 highest = highest_of_row(scores, k);
    // If any is NaN, that is the highest.
    bool is_right = highest == label && scores[highest] == scores[highest];
    right += counts_too && is_right;
    counted += counts_too;
  }
  // Every lane of a warp has the same numbers.
  right = block_sum(lane == 0 ? right : 0);
  counted = block_sum(lane == 0 ? counted : 0);
  if (threadIdx.x != 0) return;
  if (gridDim.x == 1) {
    counts[0] = right;
    counts[1] = counted;
  } else {
    atomicAdd(&counts[0], right);
    atomicAdd(&counts[1], counted);
  }
}
