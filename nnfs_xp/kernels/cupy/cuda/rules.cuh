// How parameters change by a gradient, one by one. The references are the functions
// sgd and adam in nnfs_xp/optimizers/.

__device__ inline void momentum_step(REAL rate, REAL momentum, bool nesterov, REAL& w,
                                     REAL dw, REAL& v) {
  REAL move = rate * dw;
  v = momentum * v - move;
  w += nesterov ? momentum * v - move : v;
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
