"""Chapter 20: evaluating a trained model, on any data."""

from tests.book import chapter_19


def main(epochs=10, **where):
    model, (X_test, y_test) = chapter_19.main(
        "fashion-mnist-mini", epochs=epochs, **where
    )
    model.evaluate(X_test, y_test)
    model.evaluate(X_test[:500], y_test[:500], batch_size=64)
    return model, (X_test, y_test)
