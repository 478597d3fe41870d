// Enough of CUDA's device language to run our kernels on the CPU.
//
// Blocks run one after the other. The threads of a block are fibers, which take
// turns: one runs until it comes to a barrier, and goes on when all others have
// come to it too. A warp goes on as long as it can before the next one begins, from
// the first warp on or from the last. So a kernel that forgets a barrier gives a
// wrong result in one of the two orders.

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define __constant__ static

namespace cpu {

struct Index {
  unsigned x, y, z;
};

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  Index index;
  // How many barriers of its block and of its warp the thread has come to.
  long block_barriers, warp_barriers;
  bool done;
};

constexpr size_t kStackBytes = 64 * 1024;
constexpr int kWarp = 32;

static std::vector<Fiber> fibers;
static int current;  // number of the fiber that runs
static int threads;  // how many there are in a block
static long progress;
static ucontext_t scheduler;
static Index block_index, block_size, grid_size;

inline void wait_until_all_have_come(int first, int last, long Fiber::*barriers) {
  long mine = ++(fibers[current].*barriers);
  ++progress;
  for (;;) {
    bool all = true;
    for (int i = first; i < last && all; ++i) {
      all = fibers[i].done || fibers[i].*barriers >= mine;
    }
    if (all) return;
    swapcontext(&fibers[current].context, &scheduler);
  }
}

inline int first_of_warp() { return current / kWarp * kWarp; }

inline int end_of_warp() {
  int end = first_of_warp() + kWarp;
  return end < threads ? end : threads;
}

// Gives the value of another thread of the warp; all of the warp must take part.
template <class T>
T exchange(T value, int source) {
  static char values[1024][16];
  memcpy(values[current], &value, sizeof value);
  wait_until_all_have_come(first_of_warp(), end_of_warp(), &Fiber::warp_barriers);
  if (source >= 0 && source < end_of_warp()) {
    memcpy(&value, values[source], sizeof value);
  }
  wait_until_all_have_come(first_of_warp(), end_of_warp(), &Fiber::warp_barriers);
  return value;
}

template <class Kernel, size_t... I, class... Parameters>
void call_with(Kernel kernel, void** arguments, std::index_sequence<I...>,
               std::tuple<Parameters...>*) {
  kernel(*static_cast<std::remove_const_t<Parameters>*>(arguments[I])...);
}

template <class... Parameters>
void call(void (*kernel)(Parameters...), void** arguments) {
  call_with(kernel, arguments, std::index_sequence_for<Parameters...>{},
            static_cast<std::tuple<Parameters...>*>(nullptr));
}

// What a fiber runs; a plain function, as makecontext wants one.
static void (*body)(void*);
static void* body_data;

inline void run_fiber() {
  body(body_data);
  fibers[current].done = true;
  ++progress;
}

// Runs the threads of a warp until all wait for other warps; false if all are done.
inline bool run_warp(int warp, bool reverse) {
  int first = warp * kWarp;
  int lanes = threads - first < kWarp ? threads - first : kWarp;
  bool running = true;
  for (long before = -1; running && progress != before;) {
    before = progress;
    running = false;
    for (int i = 0; i < lanes; ++i) {
      current = first + (reverse ? lanes - 1 - i : i);
      if (fibers[current].done) continue;
      swapcontext(&scheduler, &fibers[current].context);
      running = true;
    }
  }
  return running;
}

// Runs all threads of one block; false if they wait for each other for ever.
inline bool run_block(bool reverse) {
  for (int i = 0; i < threads; ++i) {
    Fiber& fiber = fibers[i];
    fiber.index = {i % block_size.x, i / block_size.x % block_size.y,
                   i / (block_size.x * block_size.y)};
    fiber.block_barriers = fiber.warp_barriers = 0;
    fiber.done = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = &scheduler;
    makecontext(&fiber.context, run_fiber, 0);
  }
  int warps = (threads + kWarp - 1) / kWarp;
  for (bool running = true; running;) {
    long before = progress;
    running = false;
    for (int w = 0; w < warps; ++w) {
      running |= run_warp(reverse ? warps - 1 - w : w, reverse);
    }
    if (running && progress == before) return false;
  }
  return true;
}

template <class... Parameters>
int launch(void (*kernel)(Parameters...), void** arguments, const unsigned* grid,
           const unsigned* block, int reverse) {
  grid_size = {grid[0], grid[1], grid[2]};
  block_size = {block[0], block[1], block[2]};
  threads = block[0] * block[1] * block[2];
  while ((int)fibers.size() < threads) {
    fibers.push_back({});
    fibers.back().stack.reset(new char[kStackBytes]);
  }
  auto run = [&] { call(kernel, arguments); };
  body = [](void* data) { (*static_cast<decltype(run)*>(data))(); };
  body_data = &run;
  unsigned blocks = grid[0] * grid[1] * grid[2];
  for (unsigned i = 0; i < blocks; ++i) {
    unsigned b = reverse ? blocks - 1 - i : i;
    block_index = {b % grid[0], b / grid[0] % grid[1], b / (grid[0] * grid[1])};
    if (!run_block(reverse)) return 1;
  }
  return 0;
}

}  // namespace cpu

#define threadIdx (cpu::fibers[cpu::current].index)
#define blockIdx cpu::block_index
#define blockDim cpu::block_size
#define gridDim cpu::grid_size
#define warpSize cpu::kWarp

inline void __syncthreads() {
  cpu::wait_until_all_have_come(0, cpu::threads, &cpu::Fiber::block_barriers);
}

inline void __syncwarp(unsigned = ~0u) {
  cpu::wait_until_all_have_come(cpu::first_of_warp(), cpu::end_of_warp(),
                                &cpu::Fiber::warp_barriers);
}

inline void __threadfence() {}

inline int __ffs(int bits) { return __builtin_ffs(bits); }

inline unsigned __ballot_sync(unsigned, bool value) {
  unsigned bits = unsigned(value) << cpu::current % cpu::kWarp;
  for (int distance = 1; distance < cpu::kWarp; distance *= 2) {
    bits |= cpu::exchange(bits, cpu::current ^ distance);
  }
  return bits;
}

template <class T>
T __shfl_sync(unsigned, T value, int lane) {
  return cpu::exchange(value, cpu::first_of_warp() + lane % cpu::kWarp);
}

template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return cpu::exchange(value, cpu::current ^ mask);
}

template <class T>
T __shfl_down_sync(unsigned, T value, int distance) {
  int lane = cpu::current % cpu::kWarp + distance;
  return cpu::exchange(value, lane < cpu::kWarp ? cpu::current + distance : -1);
}

template <class T>
T atomicAdd(T* address, T value) {
  T old = *address;
  *address += value;
  return old;
}

inline uint64_t __umul64hi(uint64_t a, uint64_t b) {
  return (unsigned __int128)a * b >> 64;
}

template <class T>
T __ldg(const T* address) {
  return *address;
}

template <class T>
T max(T a, T b) {
  return a > b ? a : b;
}

template <class T>
T min(T a, T b) {
  return a < b ? a : b;
}

inline float rsqrt(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
