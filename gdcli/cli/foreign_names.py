"""Names that other programs have for gdfit's options: scikit-learn, Keras, R, Stata, Miller, xsv, Vowpal Wabbit.

Exact synonyms are read as what they mean. Names that mean something near, or one of several things, are answered
with what it is called here.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import click

from gdcli.base.errors import UsageError
from gdcli.base.names import shell_word
from gdcli.base.patterns import pattern
from gdcli.base.records import record
from gdcli.cli.command_line import Given, parse

# What is written here, and the names that mean exactly this elsewhere; 'FILE' is an argument.
_SYNONYMS = {
    "--target": "y response outcome dependent dependent-variable label target-column y-column",
    "--feature": "features x predictors regressors independent covariates columns cols x-columns feature-columns",
    "--exclude": "drop drop-columns ignore omit skip-columns",
    "--categorical": "factor category categories categorical-features cat",
    "--weights": "weight sample-weight sample-weights wt wts",
    "--by": "group-by groupby",
    "--no-intercept": "no-constant noconstant nocons no-bias",
    "--lr": "learning-rate lr eta eta0 step-size stepsize learning-rate-init",
    "--iterations": "max-iter max-iters max-iterations iter iters n-iter num-iter num-iterations maxit niter steps",
    "--epochs": "max-epochs n-epochs num-epochs nb-epoch epoch passes",
    "--batch-size": "batch minibatch mini-batch minibatch-size mini-batch-size",
    "--tol": "tolerance eps epsilon gtol",
    "--optimizer": "optimiser solver algorithm",
    "--schedule": "lr-schedule learning-rate-schedule scheduler",
    "--scale": "scaling scaler",
    "--loss": "loss-function objective cost",
    "--test": "test-file validation-file val-file validation-data valid eval-set eval-file",
    "--holdout": "test-size validation-split validation-fraction val-split validation-size hold-out",
    "--patience": "n-iter-no-change early-stopping-rounds",
    "--cv": "folds kfold k-fold n-folds n-splits cross-validation cross-validate",
    "--seed": "random-state random-seed",
    "--sep": "delimiter delim separator d fs ifs field-separator",
    "--quotechar": "quote quote-char",
    "--no-header": "no-headers noheader noheaders headerless implicit-csv-header",
    "--skip-rows": "skiprows skip-lines skip",
    "--decimal": "dec decimal-mark decimal-separator",
    "--thousands": "thousands-separator",
    "--na": "na-values na-value na-string na-strings nullstr",
    "--missing": "na-action",
    "--jobs": "n-jobs num-threads threads nthreads workers n-workers num-workers j",
    "--output": "out outfile output-file",
    "--quiet": "silent",
    "--save": "save-model model-out",
    "--format": "output-format out-format",
    "--format json": "json ojson to-json c2j as-json",
    "--format csv": "csv ocsv to-csv",
    "--format tsv": "tsv otsv c2t",
    "--format markdown": "md markdown omd c2m",
    "--format html": "html",
    "--loss logistic": "logistic logit",
    "--loss poisson": "poisson",
    "--loss huber": "huber",
    "FILE": "input infile file input-file data csv-file",
}

# Values of those options that mean exactly one of gdfit's.
_VALUES = {
    "--loss": {
        "squared": "mse squared-error squared-loss least-squares ols gaussian l2 linear",
        "logistic": "log logloss log-loss binomial logit bernoulli cross-entropy binary-crossentropy",
    },
    "--optimizer": {"gd": "gradient-descent batch", "momentum": "heavy-ball", "newton": "newton-raphson irls"},
    "--scale": {"standard": "standardize standardise zscore z-score", "minmax": "min-max", "none": "no off raw"},
    "--format": {"markdown": "md", "table": "pprint text"},
    "--sep": {",": "comma", ";": "semicolon", "|": "pipe bar", "blanks": "whitespace spaces"},
    "--missing": {"drop": "omit na-omit exclude listwise", "error": "fail na-fail raise", "mean": "impute fill"},
}


@record
class Answer:
    """The option to write instead of a foreign name; ``{}`` in it stands for the foreign name's value.

    ``meaning`` tells several answers to one name apart. With a ``default`` the name takes a number that may be left
    out; without a ``default`` and without ``{}`` it takes no value.
    """

    written: str
    meaning: str = ""
    default: str | None = None


# Names that mean something near, or several things.
_ANSWERS: Mapping[str, Sequence[Answer]] = {
    "alpha": (
        Answer("--lr {}", "the learning rate"),
        Answer("--l2 {}", "a ridge penalty"),
        Answer("--l1 {}", "a lasso penalty"),
    ),
    "lambda": (Answer("--l2 {}", "ridge"), Answer("--l1 {}", "lasso")),
    "ridge": (Answer("--l2 {}", default="0.1"),),
    "l2-reg": (Answer("--l2 {}"),),
    "weight-decay": (Answer("--l2 {}"),),
    "regularization": (Answer("--l2 {}", "ridge", default="0.1"), Answer("--l1 {}", "lasso", default="0.1")),
    "lasso": (Answer("--l1 {}", default="0.1"),),
    "l1-reg": (Answer("--l1 {}"),),
    "elastic-net": (Answer("--l1 {} --l2 {}", default="0.1"),),
    "momentum": (Answer("--optimizer momentum:{}", default="0.9"),),
    "nesterov": (Answer("--optimizer nesterov:{}", default="0.9"),),
    "adam": (Answer("--optimizer adam"),),
    "newton": (Answer("--optimizer newton"),),
    "normal-equation": (Answer("--optimizer newton"),),
    "closed-form": (Answer("--optimizer newton"),),
    "sgd": (Answer("--batch-size 32 --epochs 10"),),
    "decay": (Answer("--schedule inverse:{}"),),
    "early-stopping": (Answer("--holdout 0.2 --patience {}", default="10"),),
    "standardize": (Answer("--scale standard"),),
    "standardise": (Answer("--scale standard"),),
    "normalize": (Answer("--scale standard", "mean 0 and deviation 1"), Answer("--scale minmax", "0 to 1")),
    "no-standardize": (Answer("--scale none"),),
    "no-scale": (Answer("--scale none"),),
    "verbose": (Answer("--every 1", default=""),),
    "v": (Answer("--every 1", default=""),),
    "summary": (Answer("--inference"),),
    "p-values": (Answer("--inference"),),
    "std-errors": (Answer("--inference"),),
    "standard-errors": (Answer("--inference"),),
    "confidence": (Answer("--inference", default=""),),
    "ci": (Answer("--inference", default=""),),
    "shuffle": (Answer("--batch-size 32"),),
    "header": (Answer(""),),
}

# The losses of R's families and Stata's.
_FAMILIES = {"binomial": "logistic", "gaussian": "squared", "poisson": "poisson", "gamma": "gamma"}

# scikit-learn's penalties.
_PENALTIES = {"l1": "--l1 0.1", "lasso": "--l1 0.1", "elasticnet": "--l1 0.1 --l2 0.1", "none": ""}

_NUMBER = pattern(r"-?[\d.]+(?:[eE][+-]?\d+)?")

_SYNONYM_OF = {name: here for here, names in _SYNONYMS.items() for name in names.split()}


def plain_name(word: str) -> str:
    """The name in a word without dashes in front, in lower case: ``--Max_Iter`` is ``max-iter``."""
    return word.lstrip("-").lower().replace("_", "-").replace(".", "-")


def synonyms_among(options: Collection[str]) -> dict[str, str]:
    """The option that each foreign name stands for, by the name (``--name``), for some options of gdfit."""
    return {f"--{name}": here for name, here in _SYNONYM_OF.items() if here in options and len(name) > 1}


def value_here(option: str, value: str) -> str:
    """gdfit's value for a foreign value of one of its options: ``squared`` for ``mse``; unchanged if unknown."""
    word, sign, parameter = value.partition(":")
    for here, names in _VALUES.get(option, {}).items():
        if plain_name(word) in names.split():
            return f"{here}{sign}{parameter}"
    return value


def name_here(word: str, options: "Mapping[str, object]") -> list[str] | None:
    """The words that a foreign name stands for, among a command's options; None if it is a synonym of none."""
    name = plain_name(word)
    if f"--{name}" in options:
        return [f"--{name}"]
    here = _SYNONYM_OF.get(name, "").split()
    return here if here and (here == ["FILE"] or here[0] in options) else None


def translated(words: Sequence[str], command: click.Command, before: Sequence[str]) -> list[str]:
    """The words, with synonyms replaced by gdfit's own options and values.

    Raises UsageError, with the option to use instead, for a foreign name that is no exact synonym. ``before`` are the
    words in front of these, for that message.
    """
    options = [param for param in command.params if isinstance(param, click.Option)]
    by_name = {name: option for option in options for name in option.opts}
    result: list[str] = []
    pieces = list(parse(list(_split(words, by_name)), options))
    while pieces:
        piece = pieces.pop(0)
        word = piece.words[0]
        if piece.option is not None:
            result += _with_value_here(piece, max(piece.option.opts, key=len))
        elif word == "--" or not _is_name(word):
            result += piece.words
        else:
            result += _instead(word, piece.value, pieces, by_name, [*before, *result])
    return result


def _is_name(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not _NUMBER.fullmatch(word)


def _split(words: Sequence[str], by_name: Mapping[str, click.Option]) -> Iterator[str]:
    """The words, ``-lr`` as ``--lr``: a name with one dash, whose letters are no options."""
    skip = False
    for i, word in enumerate(words):
        if word == "--":
            yield from words[i:]
            return
        option = by_name.get(word)
        name = word.partition("=")[0]
        single = not skip and word.startswith("-") and not word.startswith("--") and word[:2] not in by_name
        known = plain_name(name) in {**_SYNONYM_OF, **_ANSWERS} or f"--{plain_name(name)}" in by_name
        yield f"-{word}" if single and known and len(name) > 2 else word
        skip = not skip and option is not None and not option.is_flag


def _with_value_here(piece: Given, name: str) -> list[str]:
    if piece.value is None or name not in _VALUES:
        return list(piece.words)
    value = value_here(name, piece.value)
    return list(piece.words) if value == piece.value else [name, value]


def _instead(
    word: str, value: str | None, rest: list[Given], by_name: Mapping[str, click.Option], before: Sequence[str]
) -> list[str]:
    """The words instead of an unknown name and its value, which is taken from the rest. The name if it is unknown."""
    name, sign, _ = word.partition("=") if word.startswith("--") else (word, "", "")
    here = name_here(name, by_name)
    if here is not None:
        option = by_name.get(here[0])
        takes = here == ["FILE"] or (len(here) == 1 and option is not None and not option.is_flag)
        if not takes:
            return here if not sign else [word]
        value = value if sign else _taken(rest)
        if here == ["FILE"]:
            return [word] if value is None else [value]
        return here if value is None else [here[0], value_here(here[0], value)]
    plain = plain_name(name)
    if plain in _MADE_OF_VALUES:
        value = value if sign else _taken(rest)
        answers: Sequence[Answer] = [Answer(_MADE_OF_VALUES[plain](value or ""))]
    else:
        answers = _ANSWERS.get(plain, ())
        optional = any(answer.default is not None for answer in answers)
        if not sign and (optional or any("{}" in answer.written for answer in answers)):
            value = _taken(rest, number=optional)
    answers = [answer for answer in answers if _possible(answer.written, by_name)]
    if answers:
        raise UsageError(_told(name, value, answers, before, rest))
    return [word] if sign or value is None else [word, value]


def _intercept(value: str) -> str:
    return "--no-intercept" if value.lower() in ("false", "no", "0") else ""


def _family(value: str) -> str:
    return f"--loss {_FAMILIES.get(value.partition('(')[0].lower(), 'NAME')}"


def _penalty(value: str) -> str:
    return _PENALTIES.get(plain_name(value), "--l2 0.1")


# Names whose answer is made of their value.
_MADE_OF_VALUES = {"family": _family, "fit-intercept": _intercept, "penalty": _penalty}


def _taken(rest: list[Given], number: bool = False) -> str | None:
    """The next word, taken from the rest if it can be a value; with ``number`` only if it is one."""
    if not rest or rest[0].option is not None or rest[0].words[0] == "--":
        return None
    word = rest[0].words[0]
    fits = _NUMBER.fullmatch(word) is not None if number else not _is_name(word)
    return rest.pop(0).words[0] if fits else None


def _possible(written: str, by_name: Mapping[str, click.Option]) -> bool:
    """Whether a command has the options of an answer."""
    return all(word in by_name for word in written.split() if word.startswith("-"))


def _told(name: str, value: str | None, answers: Sequence[Answer], before: Sequence[str], rest: Sequence[Given]) -> str:
    """The message: one answer as the whole command, several with their meanings."""
    written = [_filled(answer, value) for answer in answers]
    if len(written) > 1:
        choices = [f"{text} ({answer.meaning})" for text, answer in zip(written, answers, strict=True)]
        return f"{name} has several meanings. Here they are {', '.join(choices[:-1])} and {choices[-1]}: give one."
    if not written[0]:
        return f"{name}: that is the default here, leave it out."
    words = [*map(shell_word, before), written[0], *(shell_word(word) for piece in rest for word in piece.words)]
    return f"{name} is written {written[0]} here:\n  gdfit {' '.join(words)}"


def _filled(answer: Answer, value: str | None) -> str:
    text = value if value is not None else answer.default or "VALUE"
    return answer.written.replace("{}", shell_word(text))
