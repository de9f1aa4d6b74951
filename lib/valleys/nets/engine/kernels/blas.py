"""Matrix products inside compiled code: our own on processors with vectors of 512 bits, those of
SciPy's BLAS on others.

SciPy names where its BLAS is; compiled code gets that address with each call, so that what numba
compiled can be kept on disk.
"""

from collections.abc import Callable
from functools import cache, partial

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import get_cython_function_address, intrinsic

from valleys.nets.engine.kernels import products

BLAS, OWN = 0, 1  # ways to form a product
ROUTINES = {"float32": "sgemm", "float64": "dgemm"}


@cache
def address(dtype: str) -> int:
    """Where SciPy's product of matrices of this type is, float32 or float64."""
    return get_cython_function_address("scipy.linalg.cython_blas", ROUTINES[dtype])


@cache
def product_way() -> int:
    """How this process forms its products: `OWN` where the processor has vectors of 512 bits, and
    `BLAS` elsewhere.

    It follows from the processor, whatever OpenBLAS was told of it (`OPENBLAS_CORETYPE`), so that a
    run repeated is the same to the last bit.
    """
    return OWN if "+avx512f" in get_host_cpu_features().split(",") else BLAS


def _typed_gemm(typing_context, where, letters, sizes, factors, matrices):
    """C ← α op(A) op(B) + β C, columns in one piece, by the routine at an address.

    `letters` are the two of op, `sizes` m, n, k and the leading sizes of A, B, C, `factors` α and
    β, `matrices` where A, B and C begin, each a tuple.
    """

    def generate(context, builder, signature, arguments):
        place, *groups = arguments
        bytes_, whole = ir.IntType(8), ir.IntType(32)
        letters, sizes, factors, places = (cgutils.unpack_tuple(builder, each) for each in groups)
        narrow = [builder.trunc(value, bytes_) for value in letters]
        narrow += [builder.trunc(value, whole) for value in sizes]
        refer = partial(cgutils.alloca_once_value, builder)
        first, second, m, n, k, lda, ldb, ldc = (refer(value) for value in narrow)
        alpha, beta = (refer(value) for value in factors)
        a, b, c = (builder.inttoptr(value, bytes_.as_pointer()) for value in places)
        passed = [first, second, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc]
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in passed])
        builder.call(builder.inttoptr(place, kind.as_pointer()), passed)
        return context.get_dummy_value()

    return types.none(where, letters, sizes, factors, matrices), generate


_gemm: Callable[..., None] = intrinsic(_typed_gemm)
AS_IT_IS, TURNED = ord("N"), ord("T")


@njit(inline="always")
def _rows_times(where, rows, weight, letter, out):
    """out = rows · op(weight)."""
    n_in, n_out, n_across = rows.shape[1], out.shape[1], weight.shape[1]
    _gemm(
        where,
        (letter, AS_IT_IS),
        (n_out, len(rows), n_in, n_across, n_in, n_out),
        (out.dtype.type(1), out.dtype.type(0)),
        (weight.ctypes.data, rows.ctypes.data, out.ctypes.data),
    )


@njit(inline="always")
def receive(where, way, values, weight, out):
    """out = values · weightᵀ: what a layer receives from N samples.

    Args:
        where: of the product, from `address`.
        way: one of `BLAS` and `OWN`, from `product_way`.
        values: (N, n_in), rows in one piece, as all matrices here.
        weight: (n_out, n_in).
        out: (N, n_out).
    """
    if way == OWN:
        products.receive(values, weight, out)
    else:
        _rows_times(where, values, weight, TURNED, out)


@njit(inline="always")
def carry_back(where, way, deltas, weight, out):
    """out = deltas · weight: slopes in a layer's inputs, (N, n_in), from those in what it receives,
    (N, n_out).
    """
    if way == OWN:
        products.carry_back(deltas, weight, out)
    else:
        _rows_times(where, deltas, weight, AS_IT_IS, out)


@njit(inline="always")
def move(where, way, values, deltas, factor, weight):
    """weight ← weight + factor · deltasᵀ · values, (n_out, n_in), from values (N, n_in) and deltas
    (N, n_out).
    """
    if way == OWN:
        products.move(values, deltas, factor, weight)
    else:
        _move(where, values, deltas, factor, weight)


@njit(inline="always")
def _move(where, values, deltas, factor, weight):
    n_out, n_in = weight.shape
    _gemm(
        where,
        (AS_IT_IS, TURNED),
        (n_in, n_out, len(values), n_in, n_out, n_in),
        (factor, weight.dtype.type(1)),
        (values.ctypes.data, deltas.ctypes.data, weight.ctypes.data),
    )
