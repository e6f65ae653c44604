"""Models: values with checked fields, written as with pydantic, and accepted without it where they are plainly right.

A model means what the same class of pydantic's means, with `frozen`, `strict` and `extra="forbid"`. To import pydantic
and to build its validators takes longer than to check a spec. So a value that is plainly right is accepted here, and
every other one goes to pydantic: it decides, and it says what is wrong. `full` makes pydantic's class from the same
annotations, also for the JSON schema. A value that is accepted here is one that pydantic accepts, with the same result.
"""

from netspec.model.base import Model
from netspec.model.fields import (
    BeforeValidator,
    Field,
    Info,
    Invalid,
    PrivateAttr,
    RefusedValue,
    field_validator,
)

__all__ = [
    "BeforeValidator",
    "Field",
    "Info",
    "Invalid",
    "Model",
    "PrivateAttr",
    "RefusedValue",
    "field_validator",
]
