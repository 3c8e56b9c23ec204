"""The gallery: samples with their stories, which are test fixtures too."""

from .families import FAMILIES
from .sample import Sample
from .store import SampleError, load_sample, load_samples, read_sample, samples_folder

__all__ = [
    "FAMILIES",
    "Sample",
    "SampleError",
    "load_sample",
    "load_samples",
    "read_sample",
    "samples_folder",
]
