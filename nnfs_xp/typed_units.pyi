"""Units by name, for type checkers and editors.

At run time the registry exports them, and nothing imports this. A unit that is
not here works the same, but a checker takes it for `typing.Any`.
"""

from nnfs_xp.activations.celu import CELU as CELU
from nnfs_xp.activations.clip import Clip as Clip
from nnfs_xp.activations.clip import HardTanh as HardTanh
from nnfs_xp.activations.clip import ReLU6 as ReLU6
from nnfs_xp.activations.elu import ELU as ELU
from nnfs_xp.activations.gelu import GELU as GELU
from nnfs_xp.activations.glu import GLU as GLU
from nnfs_xp.activations.hard_sigmoid import (
    HardSigmoid as HardSigmoid,
)
from nnfs_xp.activations.hard_sigmoid import (
    HardSwish as HardSwish,
)
from nnfs_xp.activations.leaky_relu import LeakyReLU as LeakyReLU
from nnfs_xp.activations.linear import Linear as Linear
from nnfs_xp.activations.log_sigmoid import LogSigmoid as LogSigmoid
from nnfs_xp.activations.log_softmax import LogSoftmax as LogSoftmax
from nnfs_xp.activations.mish import Mish as Mish
from nnfs_xp.activations.prelu import PReLU as PReLU
from nnfs_xp.activations.relu import ReLU as ReLU
from nnfs_xp.activations.selu import SELU as SELU
from nnfs_xp.activations.shrink import Shrink as Shrink
from nnfs_xp.activations.sigmoid import Sigmoid as Sigmoid
from nnfs_xp.activations.silu import SiLU as SiLU
from nnfs_xp.activations.softmax import Softmax as Softmax
from nnfs_xp.activations.softplus import Softplus as Softplus
from nnfs_xp.activations.softsign import Softsign as Softsign
from nnfs_xp.activations.tanh import Tanh as Tanh
from nnfs_xp.activations.thresholded_relu import ThresholdedReLU as ThresholdedReLU
from nnfs_xp.constraints.base import Constraint as Constraint
from nnfs_xp.constraints.max_norm import MaxNorm as MaxNorm
from nnfs_xp.constraints.unit_norm import UnitNorm as UnitNorm
from nnfs_xp.initializers.base import Initializer as Initializer
from nnfs_xp.initializers.constant import (
    Constant as Constant,
)
from nnfs_xp.initializers.constant import (
    Ones as Ones,
)
from nnfs_xp.initializers.constant import (
    Zeros as Zeros,
)
from nnfs_xp.initializers.identity import Identity as Identity
from nnfs_xp.initializers.normal import (
    Normal as Normal,
)
from nnfs_xp.initializers.normal import (
    TruncatedNormal as TruncatedNormal,
)
from nnfs_xp.initializers.orthogonal import Orthogonal as Orthogonal
from nnfs_xp.initializers.uniform import Uniform as Uniform
from nnfs_xp.initializers.variance_scaling import (
    GlorotNormal as GlorotNormal,
)
from nnfs_xp.initializers.variance_scaling import (
    GlorotUniform as GlorotUniform,
)
from nnfs_xp.initializers.variance_scaling import (
    HeNormal as HeNormal,
)
from nnfs_xp.initializers.variance_scaling import (
    HeUniform as HeUniform,
)
from nnfs_xp.initializers.variance_scaling import (
    LeCunNormal as LeCunNormal,
)
from nnfs_xp.initializers.variance_scaling import (
    LeCunUniform as LeCunUniform,
)
from nnfs_xp.initializers.variance_scaling import (
    VarianceScaling as VarianceScaling,
)
from nnfs_xp.layers.average_pool import AveragePool2D as AveragePool2D
from nnfs_xp.layers.base import Layer as Layer
from nnfs_xp.layers.batch_norm import BatchNorm as BatchNorm
from nnfs_xp.layers.conv1d import Conv1D as Conv1D
from nnfs_xp.layers.conv2d import Conv2D as Conv2D
from nnfs_xp.layers.cross_attention import CrossAttention as CrossAttention
from nnfs_xp.layers.dense import Dense as Dense
from nnfs_xp.layers.dropout import Dropout as Dropout
from nnfs_xp.layers.embedding import Embedding as Embedding
from nnfs_xp.layers.gaussian_noise import GaussianNoise as GaussianNoise
from nnfs_xp.layers.global_average_pool import (
    GlobalAveragePool2D as GlobalAveragePool2D,
)
from nnfs_xp.layers.group_norm import GroupNorm as GroupNorm
from nnfs_xp.layers.gru import GRU as GRU
from nnfs_xp.layers.layer_norm import LayerNorm as LayerNorm
from nnfs_xp.layers.learned_positions import LearnedPositions as LearnedPositions
from nnfs_xp.layers.lstm import LSTM as LSTM
from nnfs_xp.layers.masks import DropMask as DropMask
from nnfs_xp.layers.masks import PaddingMask as PaddingMask
from nnfs_xp.layers.max_pool import MaxPool2D as MaxPool2D
from nnfs_xp.layers.mean_over_positions import MeanOverPositions as MeanOverPositions
from nnfs_xp.layers.merging import Add as Add
from nnfs_xp.layers.merging import Concatenate as Concatenate
from nnfs_xp.layers.multi_head_attention import MultiHeadAttention as MultiHeadAttention
from nnfs_xp.layers.parallel import Parallel as Parallel
from nnfs_xp.layers.random_crop import RandomCrop as RandomCrop
from nnfs_xp.layers.random_flip import RandomFlip as RandomFlip
from nnfs_xp.layers.random_translation import RandomTranslation as RandomTranslation
from nnfs_xp.layers.rescaling import Rescaling as Rescaling
from nnfs_xp.layers.reshape import Flatten as Flatten
from nnfs_xp.layers.reshape import Reshape as Reshape
from nnfs_xp.layers.residual import Residual as Residual
from nnfs_xp.layers.rms_norm import RMSNorm as RMSNorm
from nnfs_xp.layers.sequential import Sequential as Sequential
from nnfs_xp.layers.simple_rnn import SimpleRNN as SimpleRNN
from nnfs_xp.layers.sinusoidal_positions import (
    SinusoidalPositions as SinusoidalPositions,
)
from nnfs_xp.layers.tied_embedding import TiedEmbedding as TiedEmbedding
from nnfs_xp.layers.transformer_block import TransformerBlock as TransformerBlock
from nnfs_xp.layers.up_sampling import UpSampling2D as UpSampling2D
from nnfs_xp.layers.zero_padding import ZeroPadding2D as ZeroPadding2D
from nnfs_xp.losses.base import Loss as Loss
from nnfs_xp.losses.binary_cross_entropy import BinaryCrossEntropy as BinaryCrossEntropy
from nnfs_xp.losses.binary_focal import (
    BinaryFocalCrossEntropy as BinaryFocalCrossEntropy,
)
from nnfs_xp.losses.categorical_cross_entropy import (
    CategoricalCrossEntropy as CategoricalCrossEntropy,
)
from nnfs_xp.losses.categorical_focal import (
    CategoricalFocalCrossEntropy as CategoricalFocalCrossEntropy,
)
from nnfs_xp.losses.categorical_hinge import CategoricalHinge as CategoricalHinge
from nnfs_xp.losses.cosine_distance import CosineDistance as CosineDistance
from nnfs_xp.losses.gaussian import (
    GaussianNegativeLogLikelihood as GaussianNegativeLogLikelihood,
)
from nnfs_xp.losses.hinge import Hinge as Hinge
from nnfs_xp.losses.hinge import SquaredHinge as SquaredHinge
from nnfs_xp.losses.huber import Huber as Huber
from nnfs_xp.losses.kullback_leibler import KullbackLeibler as KullbackLeibler
from nnfs_xp.losses.log_cosh import LogCosh as LogCosh
from nnfs_xp.losses.mean_absolute_error import MeanAbsoluteError as MeanAbsoluteError
from nnfs_xp.losses.mean_squared_error import MeanSquaredError as MeanSquaredError
from nnfs_xp.losses.percentage import (
    MeanAbsolutePercentageError as MeanAbsolutePercentageError,
)
from nnfs_xp.losses.pinball import Pinball as Pinball
from nnfs_xp.losses.poisson import Poisson as Poisson
from nnfs_xp.losses.softmax_cross_entropy import (
    SoftmaxCrossEntropy as SoftmaxCrossEntropy,
)
from nnfs_xp.losses.squared_logarithmic import (
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
)
from nnfs_xp.metrics.accuracy import Accuracy as Accuracy
from nnfs_xp.metrics.auc import AUC as AUC
from nnfs_xp.metrics.base import Metric as Metric
from nnfs_xp.metrics.binary_accuracy import BinaryAccuracy as BinaryAccuracy
from nnfs_xp.metrics.brier_score import BrierScore as BrierScore
from nnfs_xp.metrics.calibration import (
    ExpectedCalibrationError as ExpectedCalibrationError,
)
from nnfs_xp.metrics.confusion_matrix import ConfusionMatrix as ConfusionMatrix
from nnfs_xp.metrics.cosine_similarity import CosineSimilarity as CosineSimilarity
from nnfs_xp.metrics.f1 import F1 as F1
from nnfs_xp.metrics.fbeta import FBeta as FBeta
from nnfs_xp.metrics.matthews import MatthewsCorrelation as MatthewsCorrelation
from nnfs_xp.metrics.mean_iou import MeanIoU as MeanIoU
from nnfs_xp.metrics.mean_loss import MeanLoss as MeanLoss
from nnfs_xp.metrics.perplexity import Perplexity as Perplexity
from nnfs_xp.metrics.precision import Precision as Precision
from nnfs_xp.metrics.r2 import R2 as R2
from nnfs_xp.metrics.recall import Recall as Recall
from nnfs_xp.metrics.regression_accuracy import RegressionAccuracy as RegressionAccuracy
from nnfs_xp.metrics.root_mean_squared_error import (
    RootMeanSquaredError as RootMeanSquaredError,
)
from nnfs_xp.metrics.top_k_accuracy import TopKAccuracy as TopKAccuracy
from nnfs_xp.optimizers.adadelta import Adadelta as Adadelta
from nnfs_xp.optimizers.adagrad import Adagrad as Adagrad
from nnfs_xp.optimizers.adam import Adam as Adam
from nnfs_xp.optimizers.adamax import Adamax as Adamax
from nnfs_xp.optimizers.adamw import AdamW as AdamW
from nnfs_xp.optimizers.base import Optimizer as Optimizer
from nnfs_xp.optimizers.lamb import LAMB as LAMB
from nnfs_xp.optimizers.lion import Lion as Lion
from nnfs_xp.optimizers.muon import Muon as Muon
from nnfs_xp.optimizers.nadam import Nadam as Nadam
from nnfs_xp.optimizers.rmsprop import RMSprop as RMSprop
from nnfs_xp.optimizers.sgd import SGD as SGD
from nnfs_xp.regularizers.base import Regularizer as Regularizer
from nnfs_xp.regularizers.l1l2 import L1 as L1
from nnfs_xp.regularizers.l1l2 import L1L2 as L1L2
from nnfs_xp.regularizers.l1l2 import L2 as L2
from nnfs_xp.regularizers.orthogonality import Orthogonality as Orthogonality
from nnfs_xp.schedules.base import Schedule as Schedule
from nnfs_xp.schedules.cosine_decay import CosineDecay as CosineDecay
from nnfs_xp.schedules.cosine_decay_restarts import (
    CosineDecayRestarts as CosineDecayRestarts,
)
from nnfs_xp.schedules.exponential_decay import ExponentialDecay as ExponentialDecay
from nnfs_xp.schedules.inverse_time_decay import InverseTimeDecay as InverseTimeDecay
from nnfs_xp.schedules.one_cycle import OneCycle as OneCycle
from nnfs_xp.schedules.piecewise_constant_decay import (
    PiecewiseConstantDecay as PiecewiseConstantDecay,
)
from nnfs_xp.schedules.polynomial_decay import PolynomialDecay as PolynomialDecay
from nnfs_xp.schedules.step_decay import StepDecay as StepDecay
from nnfs_xp.schedules.warm_up import WarmUp as WarmUp
