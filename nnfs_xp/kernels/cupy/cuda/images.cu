// Convolution and pooling of images, of shape (n, height, width, channels).
//
// columns                 nnfs_xp/layers/convolve.py: convolve
// sum_of_columns          nnfs_xp/layers/convolve.py: convolve_backward
// max_pool                nnfs_xp/layers/max_pool.py: max_pool
// max_pool_backward       nnfs_xp/layers/max_pool.py: max_pool_backward
// average_pool            nnfs_xp/layers/average_pool.py: average_pool
// average_pool_backward   nnfs_xp/layers/average_pool.py: average_pool_backward
//
// No two threads write to one number: what overlapping windows add to a pixel is
// gathered by the pixel, from place to place of the window, as the references add it.

// A window over an image along one axis.
struct Axis {
  int length, count;  // pixels, positions of the window
  int size, step, apart, before;  // places of the window; before: what is put around

  // The pixel at a place of a position; below 0, or `length` and above, around the image.
  __device__ int pixel(int position, int place) const {
    return position * step + place * apart - before;
  }

  __device__ bool has(int pixel) const { return 0 <= pixel && pixel < length; }

  // The position whose place is at a pixel, -1 if there is none.
  __device__ int position(int pixel, int place) const {
    int begin = pixel + before - place * apart;
    if (begin < 0 || begin % step) return -1;
    return begin / step < count ? begin / step : -1;
  }

  // How many places of a position are inside of the image.
  __device__ int inside(int position) const {
    int found = 0;
    for (int place = 0; place < size; ++place) found += has(pixel(position, place));
    return found;
  }
};

struct Windows {
  Axis y, x;
  int channels;
};

// One number of an array of shape (n, first, second, channels).
struct Place {
  uint32 channel, second, first, n;

  __device__ Place(uint32 i, uint32 seconds, uint32 firsts, uint32 channels) {
    channel = i % channels;
    i /= channels;
    second = i % seconds;
    i /= seconds;
    first = i % firsts;
    n = i / firsts;
  }
};

__device__ inline int64 index_in_image(const Windows& w, int64 n, int y, int x,
                                       int channel) {
  return ((n * w.y.length + y) * w.x.length + x) * w.channels + channel;
}

__device__ inline int64 index_in_output(const Windows& w, int64 n, int y, int x,
                                        int channel) {
  return ((n * w.y.count + y) * w.x.count + x) * w.channels + channel;
}

// What lies below the places of a window, one row for each position of each image:
// (n, positions, places, channels). Counts are below 2^32, here and below.
extern "C" __global__ void columns(const REAL* __restrict__ image, Windows w,
                                   REAL* __restrict__ out, int64 count) {
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    Place place((uint32)i, w.x.size, w.y.size, w.channels);
    Place position(place.n, w.x.count, w.y.count, 1);
    int y = w.y.pixel(position.first, place.first);
    int x = w.x.pixel(position.second, place.second);
    bool there = w.y.has(y) && w.x.has(x);
    out[i] = there ? image[index_in_image(w, position.n, y, x, place.channel)] : 0;
  }
}

// Calls `use(position_y, position_x, place_y, place_x)` for all positions of a window
// that have a place at a pixel, in the order of the places.
template <class Use>
__device__ void for_positions_at(const Windows& w, int y, int x, Use use) {
  for (int place_y = 0; place_y < w.y.size; ++place_y) {
    int position_y = w.y.position(y, place_y);
    if (position_y < 0) continue;
    for (int place_x = 0; place_x < w.x.size; ++place_x) {
      int position_x = w.x.position(x, place_x);
      if (position_x >= 0) use(position_y, position_x, place_y, place_x);
    }
  }
}

// The sum for each pixel of what `columns` has copied from it.
extern "C" __global__ void sum_of_columns(const REAL* __restrict__ of_columns,
                                          Windows w, REAL* __restrict__ image,
                                          int64 count) {
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    Place pixel((uint32)i, w.x.length, w.y.length, w.channels);
    REAL sum = 0;
    for_positions_at(w, pixel.first, pixel.second, [&](int y, int x, int v, int u) {
      int64 position = ((int64)pixel.n * w.y.count + y) * w.x.count + x;
      int64 place = (position * w.y.size + v) * w.x.size + u;
      sum += of_columns[place * w.channels + pixel.channel];
    });
    image[i] = sum;
  }
}

// The value at a place of a position; around the image -infinity.
__device__ inline REAL value_at(const REAL* image, const Windows& w, int64 n, int y,
                                int x, int channel) {
  if (!w.y.has(y) || !w.x.has(x)) return -infinity();
  return image[index_in_image(w, n, y, x, channel)];
}

extern "C" __global__ void max_pool(const REAL* __restrict__ image, Windows w,
                                    REAL* __restrict__ out, int64 count) {
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    Place at((uint32)i, w.x.count, w.y.count, w.channels);
    REAL top = -infinity();
    for (int v = 0; v < w.y.size; ++v) {
      for (int u = 0; u < w.x.size; ++u) {
        int y = w.y.pixel(at.first, v), x = w.x.pixel(at.second, u);
        top = larger(top, value_at(image, w, at.n, y, x, at.channel));
      }
    }
    out[i] = top;
  }
}

// Whether no place of a position before this one has the value `top`.
__device__ inline bool is_first(const REAL* image, const Windows& w, int64 n, int y,
                                int x, int v, int u, int channel, REAL top) {
  for (int before = 0; before < v * w.x.size + u; ++before) {
    int pixel_y = w.y.pixel(y, before / w.x.size);
    int pixel_x = w.x.pixel(x, before % w.x.size);
    if (!w.y.has(pixel_y) || !w.x.has(pixel_x)) continue;
    if (value_at(image, w, n, pixel_y, pixel_x, channel) == top) return false;
  }
  return true;
}

// `image` and `maxima` are input and output of max_pool.
extern "C" __global__ void max_pool_backward(const REAL* __restrict__ image,
                                             const REAL* __restrict__ maxima,
                                             const REAL* __restrict__ dy, Windows w,
                                             REAL* __restrict__ dx, int64 count) {
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    Place pixel((uint32)i, w.x.length, w.y.length, w.channels);
    REAL value = image[i], sum = 0;
    for_positions_at(w, pixel.first, pixel.second, [&](int y, int x, int v, int u) {
      int64 output = index_in_output(w, pixel.n, y, x, pixel.channel);
      if (value != maxima[output]) return;
      if (is_first(image, w, pixel.n, y, x, v, u, pixel.channel, value)) {
        sum += dy[output];
      }
    });
    dx[i] = sum;
  }
}

// 1 / N, with N the places of a position that are inside of the image.
__device__ inline REAL share(const Windows& w, int y, int x) {
  return REAL(1) / (w.y.inside(y) * w.x.inside(x));
}

extern "C" __global__ void average_pool(const REAL* __restrict__ image, Windows w,
                                        REAL* __restrict__ out, int64 count) {
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    Place at((uint32)i, w.x.count, w.y.count, w.channels);
    REAL sum = 0;
    for (int v = 0; v < w.y.size; ++v) {
      for (int u = 0; u < w.x.size; ++u) {
        int y = w.y.pixel(at.first, v), x = w.x.pixel(at.second, u);
        if (!w.y.has(y) || !w.x.has(x)) continue;
        sum += image[index_in_image(w, at.n, y, x, at.channel)];
      }
    }
    out[i] = sum * share(w, at.first, at.second);
  }
}

extern "C" __global__ void average_pool_backward(const REAL* __restrict__ dy,
                                                 Windows w, REAL* __restrict__ dx,
                                                 int64 count) {
  for (int64 i = first_of_thread(); i < count; i += stride_of_grid()) {
    Place pixel((uint32)i, w.x.length, w.y.length, w.channels);
    REAL sum = 0;
    for_positions_at(w, pixel.first, pixel.second, [&](int y, int x, int, int) {
      sum += dy[index_in_output(w, pixel.n, y, x, pixel.channel)] * share(w, y, x);
    });
    dx[i] = sum;
  }
}
