// What attention does besides products of matrices. Threads go through rows of scores as
// sum_of_row has it.
//
// split_heads         nnfs_xp/layers/attention.py: attention
// join_heads          nnfs_xp/layers/attention.py: attention
// attention_weights   nnfs_xp/layers/attention.py: attention
// scores_backward     nnfs_xp/layers/attention.py: attention_backward

// A place in heads of shape (parts, n, heads, length, features), given as the number of
// an element, and its place in rows of shape (n, length, parts, heads, features). There
// are less than 2^32 elements.
struct Heads {
  uint32 n, length, heads, features, parts;

  __device__ int64 in_rows(uint32 i) const {
    uint32 feature = i % features;
    i /= features;
    uint32 t = i % length;
    i /= length;
    uint32 head = i % heads;
    i /= heads;
    uint32 sample = i % n, part = i / n;
    return ((((int64)sample * length + t) * parts + part) * heads + head) * features +
           feature;
  }
};

extern "C" __global__ void split_heads(const REAL* __restrict__ rows, Heads heads,
                                       REAL* __restrict__ out, int64 count) {
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    out[i] = rows[heads.in_rows((uint32)i)];
  }
}

// Each part is an array of its own, of `count` elements; those beyond `parts` are null.
extern "C" __global__ void join_heads(const REAL* __restrict__ first,
                                      const REAL* __restrict__ second,
                                      const REAL* __restrict__ third, Heads heads,
                                      REAL* __restrict__ rows, int64 count) {
  for (int64 i = first_of_thread(); i < count * heads.parts; i += stride_of_grid()) {
    int64 part = i / count;
    const REAL* from = part == 0 ? first : part == 1 ? second : third;
    rows[heads.in_rows((uint32)i)] = from[i - part * count];
  }
}

// p = softmax(scale scores) of what a query sees, in the place of the scores, and p
// times `drop`, if there is one. Scores have shape (n, heads, t, s), the mask (n, s).
extern "C" __global__ void attention_weights(REAL* __restrict__ p,
                                             const bool* __restrict__ mask,
                                             const REAL* __restrict__ drop,
                                             REAL* __restrict__ dropped, REAL scale,
                                             REAL hidden, bool causal, int64 rows, int64 heads,
                                             int64 t, int64 s) {
  int64 row = (int64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= rows) return;
  int64 query = row % t, begin = row * s;
  const bool* seen = mask ? mask + row / (t * heads) * s : nullptr;
  int64 end = causal && query + 1 < s ? query + 1 : s;
  REAL top = -infinity(), total = 0;
  for (int64 j = threadIdx.x; j < s; j += blockDim.x) {
    bool sees = j < end && (!seen || seen[j]);
    top = larger(top, sees ? p[begin + j] * scale : hidden);
  }
  top = maximum_of_row(top);
  for (int64 j = threadIdx.x; j < s; j += blockDim.x) {
    bool sees = j < end && (!seen || seen[j]);
    // Without a mask the reference lets what is hidden underflow.
    REAL own = sees ? exp(p[begin + j] * scale - top) : seen ? 0 : exp(hidden - top);
    p[begin + j] = own;
    total += own;
  }
  // The largest of those that are seen counts 1; without one, all of them are 0.
  total = larger(sum_of_row(total), 1);
  for (int64 j = threadIdx.x; j < s; j += blockDim.x) {
    REAL own = p[begin + j] / total;
    p[begin + j] = own;
    if (drop) dropped[begin + j] = own * drop[begin + j];
  }
}

// The gradient of the scores, p (dp - sum(dp p)) scale, in the place of dp.
extern "C" __global__ void scores_backward(const REAL* __restrict__ p,
                                           const REAL* __restrict__ drop,
                                           REAL* __restrict__ dp, REAL scale,
                                           int64 rows, int64 s) {
  int64 row = (int64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= rows) return;
  int64 begin = row * s;
  REAL sum = 0;
  for (int64 j = begin + threadIdx.x; j < begin + s; j += blockDim.x) {
    if (drop) dp[j] *= drop[j];
    sum += dp[j] * p[j];
  }
  sum = sum_of_row(sum);
  for (int64 j = begin + threadIdx.x; j < begin + s; j += blockDim.x) {
    dp[j] = p[j] * (dp[j] - sum) * scale;
  }
}
