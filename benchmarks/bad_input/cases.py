"""All cases, by the door through which a bad input comes."""

from benchmarks.bad_input import arguments, arrays, beyond, files
from benchmarks.bad_input.trial import Case

CASES: dict[str, Case] = {
    case.id: case
    for make in (
        arguments.layers, arguments.losses, arguments.optimizers, arguments.schedules,
        arguments.metrics, arrays.units, arrays.training, arrays.options, arrays.use,
        files.of_models, files.of_data, files.of_commands,
        beyond.images_and_sequences, beyond.batches, beyond.texts, beyond.estimators,
        beyond.weights,
    )
    for case in make()
}  # fmt: skip
DOORS = tuple(dict.fromkeys(case.door for case in CASES.values()))
