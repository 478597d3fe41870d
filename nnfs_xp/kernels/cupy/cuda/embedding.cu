// What is left of an embedding besides taking its rows.
//
// add_at   nnfs_xp/layers/embedding.py: add_at

// The sum of the rows of each id. A block has an id, blockIdx.x, and 32 columns, a
// lane for each. Its warps share the rows out: of 32 ids that a warp reads at once, the
// lanes learn from each other which are the block's. No two blocks write to one sum.
extern "C" __global__ void __launch_bounds__(256)
add_at(const void* ids, int id_bytes, const REAL* __restrict__ rows,
       REAL* __restrict__ sums, int64 n, int64 k) {
  __shared__ REAL of_warp[8][32];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  int64 column = (int64)blockIdx.y * 32 + lane;
  REAL sum = 0;
  for (int64 first = warp * 32; first < n; first += blockDim.x) {
    int64 i = first + lane;
    bool own = i < n && integer_at(ids, id_bytes, i) == blockIdx.x;
    for (uint32 left = __ballot_sync(ALL_LANES, own); left; left &= left - 1) {
      int64 row = first + __ffs(left) - 1;
      if (column < k) sum += rows[row * k + column];
    }
  }
  of_warp[warp][lane] = sum;
  __syncthreads();
  if (warp > 0 || column >= k) return;
  for (int other = 1; other < warps; ++other) sum += of_warp[other][lane];
  sums[blockIdx.x * k + column] = sum;
}
