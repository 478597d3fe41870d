// One step of each optimizer, in one pass over the parameters. The references are the
// functions of the same names in nnfs_xp/optimizers/.
//
// What changes from step to step is read from the device, so that a captured graph
// follows it. Constants come as doubles: 1 - beta must be taken before it is rounded.

extern "C" __global__ void sgd(int64 n, REAL* w, const REAL* dw,
                               const REAL* learning_rate) {
  REAL rate = *learning_rate;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) w[i] -= rate * dw[i];
}

extern "C" __global__ void sgd_momentum(int64 n, REAL* w, const REAL* dw, REAL* v,
                                        const REAL* learning_rate, double momentum,
                                        bool nesterov) {
  REAL rate = *learning_rate, kept = (REAL)momentum;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL move = rate * dw[i];
    REAL velocity = kept * v[i] - move;
    v[i] = velocity;
    w[i] += nesterov ? kept * velocity - move : velocity;
  }
}

extern "C" __global__ void adagrad(int64 n, REAL* w, const REAL* dw, REAL* s,
                                   const REAL* learning_rate, double epsilon) {
  REAL rate = *learning_rate;
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL sum = s[i] + dw[i] * dw[i];
    s[i] = sum;
    w[i] -= rate * dw[i] / (sqrt(sum) + (REAL)epsilon);
  }
}

extern "C" __global__ void rmsprop(int64 n, REAL* w, const REAL* dw, REAL* s,
                                   const REAL* learning_rate, double rho,
                                   double epsilon) {
  REAL rate = *learning_rate, kept = (REAL)rho, added = (REAL)(1.0 - rho);
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL mean = kept * s[i] + added * (dw[i] * dw[i]);
    s[i] = mean;
    w[i] -= rate * dw[i] / (sqrt(mean) + (REAL)epsilon);
  }
}

// Scalars of a step of Adam.
struct AdamStep {
  REAL rate, inverse_root, beta_1, rest_1, beta_2, rest_2, epsilon;
};

// The logarithms are those of the betas, -infinity for a beta of 0.
__device__ inline AdamStep adam_step(int step, REAL learning_rate, double beta_1,
                                     double log_beta_1, double beta_2,
                                     double log_beta_2, double epsilon) {
  // 1 - beta^t without cancellation. Once a block, since many devices are slow with
  // doubles; by two threads of a warp, which do both at the same time.
  __shared__ double corrections[2];
  if (threadIdx.x < 2) {
    corrections[threadIdx.x] = -expm1(step * (threadIdx.x ? log_beta_2 : log_beta_1));
  }
  __syncthreads();
  return {(REAL)(learning_rate / corrections[0]),
          (REAL)(1.0 / sqrt(corrections[1])),
          (REAL)beta_1,
          (REAL)(1.0 - beta_1),
          (REAL)beta_2,
          (REAL)(1.0 - beta_2),
          (REAL)epsilon};
}

// Updates both moments of a parameter, and returns what is to be taken from it.
__device__ inline REAL adam_move(const AdamStep& step, REAL dw, REAL& m, REAL& v) {
  m = step.beta_1 * m + step.rest_1 * dw;
  v = step.beta_2 * v + step.rest_2 * (dw * dw);
  return step.rate * m / (sqrt(v) * step.inverse_root + step.epsilon);
}

extern "C" __global__ void adam(int64 n, REAL* w, const REAL* dw, REAL* m, REAL* v,
                                const int* step, const REAL* learning_rate,
                                double beta_1, double log_beta_1, double beta_2,
                                double log_beta_2, double epsilon) {
  AdamStep now = adam_step(*step, *learning_rate, beta_1, log_beta_1, beta_2,
                           log_beta_2, epsilon);
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    w[i] -= adam_move(now, dw[i], m[i], v[i]);
  }
}

extern "C" __global__ void adamw(int64 n, REAL* w, const REAL* dw, REAL* m, REAL* v,
                                 const int* step, const REAL* learning_rate,
                                 double beta_1, double log_beta_1, double beta_2,
                                 double log_beta_2, double epsilon,
                                 double weight_decay) {
  AdamStep now = adam_step(*step, *learning_rate, beta_1, log_beta_1, beta_2,
                           log_beta_2, epsilon);
  REAL fraction = (REAL)(*learning_rate * weight_decay);
  for (int64 i = first_of_thread(); i < n; i += stride_of_grid()) {
    REAL decayed = w[i] - fraction * w[i];
    w[i] = decayed - adam_move(now, dw[i], m[i], v[i]);
  }
}
