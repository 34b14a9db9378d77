"""Block 1, match: each label finds out which tasks give it for its own input.

Head k, from the label y_i: with A_k the matrix of table k,

    score_k(i, j) = gamma + gamma (<pe_i, pe_j> - ell_e) + 2 gamma (y_i^T A_k w_j - 1)
        + 2 gamma (x_j - 1) - 2 gamma x_i,

where w_j is the word of token j, and x_j is 1 on inputs. It is gamma at the example's own input if
task k gives the label for it, 0 at BOS, and at most -gamma at every other token, and from every
token that is no label. The value is 1, written to vote_k.
"""

from construct.designs.decoder.words.plan import WordPlan
from construct.designs.softmax.scores import always, deciding, same_example, times
from construct.matrix import Matrix
from construct.network.primitives import HeadFormula, LayerFormula, Rows, constant, layer, read

LEMMA = "At a label vote_k is 1 if task k gives it for its own input, else 0; at others it is 0."


def match(plan: WordPlan) -> LayerFormula:
    """K heads, one for each task."""
    heads = [_test(plan, k) for k in range(plan.sizes.K)]
    return layer(plan.sizes, "match", LEMMA, heads)


def _test(plan: WordPlan, k: int) -> HeadFormula:
    sizes, tables = plan.sizes, plan.wiring
    x, name = tables.inputs(k), tables.names[k]
    # Row by row a word that the table has: its image at the label, the word at the input.
    image, word = (
        Rows({"tok": Matrix.choosing(words, sizes.d)}) for words in (tables.images[k, x], x)
    )
    words = [(image, word), *always(constant(-1))]
    inputs = [*always(read("x") - constant(1)), (-1 * read("x"), constant(1))]
    return HeadFormula(
        name,
        f"from a label, find the example's input if {name} gives the label for it",
        sizes,
        score=deciding(plan.margins, [same_example(sizes), times(2, words), times(2, inputs)]),
        write={("vote", k): constant(1)},
    )
