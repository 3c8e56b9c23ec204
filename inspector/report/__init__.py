"""Reports: the record for machines, the terminal report for people, the pages of the rules."""

from .record import SCHEMA, dump, error_record, inspection_record, record_schema

__all__ = ["SCHEMA", "dump", "error_record", "inspection_record", "record_schema"]
