"""Small products of matrices in vectors of 512 bits.

They are written as LLVM's operations on vectors, because loops that numba makes into vectors check
at each call whether their rows overlap, and take what is left of a row number by number.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WIDTH = 64  # bytes of a vector
SIDE = 5  # rows of results that are kept in registers, of which there are 32
ACROSS = 4  # vectors in each of them
FUSED = ("contract",)  # a product and a sum may be rounded once
PLACE, SHORT = ir.IntType(64), ir.IntType(32)


def _place(number: int) -> Any:
    """A number to reckon places with."""
    return ir.Constant(PLACE, number)


class Vectors:
    """Writes operations on vectors of numbers of one type into code that is being compiled."""

    def __init__(self, context: Any, builder: Any, kind: Any) -> None:
        """From what numba hands to an intrinsic, and its type of the numbers."""
        self.builder, self.number = builder, context.get_value_type(kind)
        self.size = context.get_abi_sizeof(self.number)
        self.count = WIDTH // self.size
        self.type = ir.VectorType(self.number, self.count)
        self.zero = ir.Constant(self.type, [0.0] * self.count)
        self.name = f"v{self.count}f{8 * self.size}"

    def spread(self, value: Any) -> Any:
        """The same value in each lane."""
        empty = ir.Constant(ir.VectorType(value.type, self.count), ir.Undefined)
        one = self.builder.insert_element(empty, value, ir.Constant(SHORT, 0))
        lanes = ir.Constant(ir.VectorType(SHORT, self.count), [0] * self.count)
        return self.builder.shuffle_vector(one, empty, lanes)

    def first(self, many: Any) -> Any:
        """The first lanes, so many of them, or all if there are fewer."""
        lanes = ir.Constant(ir.VectorType(PLACE, self.count), list(range(self.count)))
        return self.builder.icmp_signed("<", lanes, self.spread(many))

    def every(self) -> Any:
        """All lanes."""
        return self.first(_place(self.count))

    def load(self, place: Any, lanes: Any) -> Any:
        """A vector from memory; 0 in the other lanes, whose memory is not touched."""
        pointer = self.builder.inttoptr(place, self.number.as_pointer())
        given = pointer, ir.Constant(SHORT, self.size), lanes, self.zero
        return self._call(f"llvm.masked.load.{self.name}.p0", self.type, given)

    def store(self, vector: Any, place: Any, lanes: Any) -> None:
        """Some lanes of a vector into memory."""
        pointer = self.builder.inttoptr(place, self.number.as_pointer())
        given = vector, pointer, ir.Constant(SHORT, self.size), lanes
        self._call(f"llvm.masked.store.{self.name}.p0", ir.VoidType(), given)

    def load_number(self, place: Any) -> Any:
        """One number from memory."""
        return self.builder.load(self.builder.inttoptr(place, self.number.as_pointer()))

    def sums(self, vectors: Sequence[Any]) -> Any:
        """The sum of the lanes of each vector, in the first lanes of one; of at most as many as it
        has lanes. Halves are added, and halves of them, two vectors at once.
        """
        across = self.count
        while across > 1:
            pairs = zip(vectors[::2], [*vectors[1::2], vectors[-1]], strict=False)
            vectors = [self._halves_added(*pair, across) for pair in pairs]
            across //= 2
        return vectors[0]

    def _halves_added(self, one: Any, other: Any, across: int) -> Any:
        """Of two vectors of groups of so many lanes, each group's first half and its second."""
        starts = range(0, 2 * self.count, across)
        first, second = (
            [start + begin + lane for start in starts for lane in range(across // 2)]
            for begin in (0, across // 2)
        )
        kind = ir.VectorType(SHORT, self.count)
        halves = [
            self.builder.shuffle_vector(one, other, ir.Constant(kind, lanes))
            for lanes in (first, second)
        ]
        return self.builder.fadd(*halves)

    def plus_product(self, term: Any, one: Any, other: Any) -> Any:
        """term + one · other."""
        product = self.builder.fmul(one, other, flags=FUSED)
        return self.builder.fadd(term, product, flags=FUSED)

    def add_products(self, totals: Sequence[Any], one: Any, others: Sequence[Any]) -> None:
        """total ← total + one · other, of each variable."""
        for total, other in zip(totals, others, strict=True):
            added = self.plus_product(self.builder.load(total), one, other)
            self.builder.store(added, total)

    def totals(self, rows: int, columns: int) -> list[list[Any]]:
        """Variables that begin as 0."""
        new = partial(cgutils.alloca_once, self.builder, self.type)
        variables = [[new() for _ in range(columns)] for _ in range(rows)]
        for variable in chain(*variables):
            self.builder.store(self.zero, variable)
        return variables

    def rows(self, start: Any, stride: Any, there: Any, many: int = SIDE) -> list[Any]:
        """Where so many rows begin; the last that is there stands for those that are not."""
        last = self.builder.sub(there, _place(1))
        numbers = [_place(number) for number in range(many)]
        inside = [self.builder.icmp_signed("<", number, last) for number in numbers]
        chosen = [self.builder.select(*each, last) for each in zip(inside, numbers, strict=True)]
        return [self.moved(start, number, stride) for number in chosen]

    def moved(self, start: Any, number: Any, stride: Any) -> Any:
        """The place so many strides behind another one."""
        return self.builder.add(start, self.builder.mul(number, stride))

    def _call(self, name: str, gives: Any, given: Sequence[Any]) -> Any:
        kind = ir.FunctionType(gives, [value.type for value in given])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, given)


def _intrinsic(write: Callable[..., None]) -> Callable[..., None]:
    """A function of compiled code from one that writes its operations.

    It takes how many rows, columns and terms there are, where the matrices A, B and C begin, and
    strides [bytes], a tuple each; and a factor of the type of the numbers.
    """

    def typed(typing_context, counts, places, strides, factor):
        def generate(context, builder, signature, given):
            tuples = [cgutils.unpack_tuple(builder, each) for each in given[:3]]
            write(Vectors(context, builder, signature.args[3]), *tuples, given[3])
            return context.get_dummy_value()

        return types.none(counts, places, strides, factor), generate

    return intrinsic(typed)


def _write_block(
    across: int, v: Vectors, counts: Any, places: Any, strides: Any, factor: Any
) -> None:
    """C ← C + factor · A · B, of at most `SIDE` rows and so many vectors across. The strides are of
    the rows and of the terms of A, of the rows of B and of C.
    """
    (n_rows, n_columns, n_terms), (a, b, c) = counts, places
    a_row, a_term, b_row, c_row = strides
    steps = [_place(WIDTH * number) for number in range(across)]
    left = [v.builder.sub(n_columns, _place(v.count * number)) for number in range(across)]
    beside = list(zip(steps, map(v.first, left), strict=True))
    starts, totals = v.rows(a, a_row, n_rows), v.totals(SIDE, across)
    with cgutils.for_range(v.builder, n_terms) as loop:
        row = v.moved(b, loop.index, b_row)
        others = [v.load(v.builder.add(row, step), lanes) for step, lanes in beside]
        for start, kept in zip(starts, totals, strict=True):
            number = v.load_number(v.moved(start, loop.index, a_term))
            v.add_products(kept, v.spread(number), others)
    rows = v.rows(c, c_row, n_rows)
    ends = [(v.builder.add(row, step), lanes) for row in rows for step, lanes in beside]
    before = [v.load(*end) for end in ends]  # all, before any is stored: a row may stand for others
    for end, start, total in zip(ends, before, chain(*totals), strict=True):
        v.store(v.plus_product(start, v.spread(factor), v.builder.load(total)), *end)


def _write_sums(v: Vectors, counts: Any, places: Any, strides: Any, factor: Any) -> None:
    """C ← C + factor · A · Bᵀ, of at most `SIDE` rows and as many columns. The strides are of the
    rows.
    """
    (n_rows, n_columns, n_terms), (a, b, c), (a_row, b_row, c_row) = counts, places, strides
    totals, lanes = v.totals(SIDE, SIDE), _place(v.count)
    starts = [*v.rows(a, a_row, n_rows), *v.rows(b, b_row, n_columns)]

    def add(number: Any, chosen: Any) -> None:
        vectors = [v.load(v.moved(start, number, _place(WIDTH)), chosen) for start in starts]
        for one, kept in zip(vectors[:SIDE], totals, strict=True):
            v.add_products(kept, one, vectors[SIDE:])

    n_whole, left = v.builder.sdiv(n_terms, lanes), v.builder.srem(n_terms, lanes)
    with cgutils.for_range(v.builder, n_whole) as loop:
        add(loop.index, v.every())
    with v.builder.if_then(v.builder.icmp_signed(">", left, _place(0))):
        add(n_whole, v.first(left))
    rows, there = v.rows(c, c_row, n_rows), v.first(n_columns)
    before = [v.load(row, there) for row in rows]
    for row, start, kept in zip(rows, before, totals, strict=True):
        sums = v.sums([v.builder.load(total) for total in kept])
        v.store(v.plus_product(start, v.spread(factor), sums), row, there)


add_block = _intrinsic(partial(_write_block, ACROSS))
add_narrow_block = _intrinsic(partial(_write_block, 1))
add_sums = _intrinsic(_write_sums)
