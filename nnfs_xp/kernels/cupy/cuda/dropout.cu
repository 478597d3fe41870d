// Dropout: y = x m, with m = 1 / kept where an input is kept and 0 elsewhere.
//
// dropout        nnfs_xp/layers/dropout.py: dropout, with a stream of random numbers
// dropout_with   the same, with booleans

// One block of Philox-4x64-10, of which nnfs_xp/random.py says more: ten rounds that
// mix a counter of four words with a key of two. The words become the random ones.
__device__ inline void philox(uint64 words[4], uint64 key_0, uint64 key_1) {
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    uint64 high_0 = __umul64hi(0xD2E7470EE14C6C93ull, words[0]);
    uint64 low_0 = 0xD2E7470EE14C6C93ull * words[0];
    uint64 high_1 = __umul64hi(0xCA5A826395121157ull, words[2]);
    uint64 low_1 = 0xCA5A826395121157ull * words[2];
    words[0] = high_1 ^ words[1] ^ key_0;
    words[1] = low_1;
    words[2] = high_0 ^ words[3] ^ key_1;
    words[3] = low_0;
    key_0 += 0x9E3779B97F4A7C15ull;
    key_1 += 0xBB67AE8584CAA73Bull;
  }
}

// An input is kept if 32 random bits are below `threshold`, up to 2^32. A block of
// Philox serves eight inputs, its words in their order, the low half of each first.
extern "C" __global__ void dropout(const REAL* __restrict__ x, REAL* __restrict__ y,
                                   REAL* __restrict__ mask, int64 count,
                                   uint64 threshold, REAL scale, uint64 seed,
                                   uint64 stream, int64 step_on_host,
                                   const void* step_on_device, int step_bytes) {
  uint64 step = host_or_device(step_on_host, step_on_device, step_bytes);
  int64 blocks = (count + 7) / 8;
  for (int64 b = first_of_thread(); b < blocks; b += stride_of_grid()) {
    // NumPy counts up before its first block.
    uint64 words[4] = {(uint64)b + 1, 0, step, 0};
    philox(words, seed, stream);
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      int64 i = 8 * b + j;
      if (i >= count) break;
      uint32 bits = (uint32)(words[j / 2] >> (32 * (j % 2)));
      REAL m = bits < threshold ? scale : REAL(0);
      mask[i] = m;
      y[i] = x[i] * m;
    }
  }
}

extern "C" __global__ void dropout_with(const REAL* __restrict__ x,
                                        const bool* __restrict__ keep,
                                        REAL* __restrict__ y, REAL* __restrict__ mask,
                                        int64 count, REAL scale) {
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    REAL m = keep[i] ? scale : REAL(0);
    mask[i] = m;
    y[i] = x[i] * m;
  }
}
