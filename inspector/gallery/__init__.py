"""The gallery: samples with their stories, which are test fixtures too."""

from .bundle import Gallery, bundle, gallery_of, jsonl_lines, open_gallery, read_gallery
from .families import FAMILIES
from .galleries import configured_galleries, find_in, sample_address, sample_link, shipped_gallery
from .record import address_name, read_sample_record, sample_record
from .sample import Sample, SampleError
from .store import load_sample, load_samples, read_sample, samples_folder

__all__ = [
    "FAMILIES",
    "Gallery",
    "Sample",
    "SampleError",
    "address_name",
    "bundle",
    "configured_galleries",
    "find_in",
    "gallery_of",
    "jsonl_lines",
    "load_sample",
    "load_samples",
    "open_gallery",
    "read_gallery",
    "read_sample",
    "read_sample_record",
    "sample_address",
    "sample_link",
    "sample_record",
    "samples_folder",
    "shipped_gallery",
]
