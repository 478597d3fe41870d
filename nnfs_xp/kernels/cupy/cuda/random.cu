// Random numbers of a stream, and dropout with them: y = x m, with m = 1 / kept where an
// input is kept and 0 elsewhere.
//
// dropout         nnfs_xp/layers/dropout.py: dropout, with a stream of random numbers
// dropout_with    the same, with booleans
// draw_bernoulli  nnfs_xp/engine/draws.py: draw
// draw_integers   the same
// draw_uniform    the same
// draw_normal     the same

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

// The four random words of a block. NumPy counts up before its first block.
__device__ inline void random_words(uint64 words[4], int64 block, uint64 step,
                                    uint64 seed, uint64 stream) {
  words[0] = (uint64)block + 1;
  words[1] = 0;
  words[2] = step;
  words[3] = 0;
  philox(words, seed, stream);
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
    uint64 words[4];
    random_words(words, b, step, seed, stream);
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

// Where a stream is: its two words, and its step, as `host_or_device` takes it.
#define STREAM \
  uint64 seed, uint64 stream, int64 step_on_host, const void *step_on_device, \
      int step_bytes
#define STREAM_ARGUMENTS seed, stream, step_on_host, step_on_device, step_bytes

// Draw `values` numbers from each block of words; make(words, j) is the j-th.
template <int values, class Value, class Make>
__device__ inline void draw(Value* out, int64 count, STREAM, Make make) {
  uint64 step = host_or_device(step_on_host, step_on_device, step_bytes);
  for (int64 b = first_of_thread(); values * b < count; b += stride_of_grid()) {
    uint64 words[4];
    random_words(words, b, step, seed, stream);
#pragma unroll
    for (int j = 0; j < values; ++j)
      if (values * b + j < count) out[values * b + j] = make(words, j);
  }
}

// True where 32 random bits are below `threshold`; two for each word.
extern "C" __global__ void draw_bernoulli(bool* __restrict__ out, int64 count,
                                          uint64 threshold, STREAM) {
  draw<8>(out, count, STREAM_ARGUMENTS, [&](const uint64* words, int j) {
    return (uint32)(words[j / 2] >> (32 * (j % 2))) < threshold;
  });
}

// floor(n b / 2^32) of the 32 high bits b of a word.
extern "C" __global__ void draw_integers(int* __restrict__ out, int64 count, uint64 n,
                                         STREAM) {
  draw<4>(out, count, STREAM_ARGUMENTS, [&](const uint64* words, int j) {
    return (int)(((words[j] >> 32) * n) >> 32);
  });
}

// A multiple of 2^-53 in [0, 1).
__device__ inline double uniform_of(uint64 word) {
  return (double)(word >> 11) * 0x1p-53;
}

extern "C" __global__ void draw_uniform(REAL* __restrict__ out, int64 count, STREAM) {
  draw<4>(out, count, STREAM_ARGUMENTS, [](const uint64* words, int j) {
    return (REAL)uniform_of(words[j]);
  });
}

// A word by its number in the stream.
__device__ inline uint64 random_word(int64 number, uint64 step, uint64 seed,
                                     uint64 stream) {
  uint64 words[4];
  random_words(words, number / 4, step, seed, stream);
  // An array that is read at a varying index would lie in memory.
  uint64 low = number % 2 ? words[1] : words[0];
  uint64 high = number % 2 ? words[3] : words[2];
  return number % 4 < 2 ? low : high;
}

// Box and Muller's formula on the uniform numbers i and count + i.
extern "C" __global__ void draw_normal(REAL* __restrict__ out, int64 count, STREAM) {
  uint64 step = host_or_device(step_on_host, step_on_device, step_bytes);
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    double u = uniform_of(random_word(i, step, seed, stream));
    double v = uniform_of(random_word(count + i, step, seed, stream));
    double radius = sqrt(-2.0 * log1p(-u));
    out[i] = (REAL)(radius * cos(2.0 * 3.141592653589793 * v));
  }
}
