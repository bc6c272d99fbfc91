"""Training and measuring: one :func:`fit` and one :func:`evaluate` for our engine and for torch's.

A net of `cnnlib.layers`, on NumPy or on tensors, takes an optimiser of `cnnlib.optim`; a torch.nn.Module takes one of
torch.optim (or of `cnnlib.optim`). What happens on the way is told to a callback: nothing here draws or shows.

========================  ================================================================================
file                      its one idea
========================  ================================================================================
``fit.py``                the loop: epochs of steps, and what is looked after between them
``evaluate.py``           loss, accuracy and predictions on data that are not learnt from
``top_error.py``          the share of targets that are not among the first few guesses
``judge.py``              published weights on a folder of pictures
``history.py``            what a run has been through, as plain lists
``progress.py``           what a callback is told, and the one that prints
``augment.py``            pictures moved by some pixels
``_batches.py``           data in, batches out, in an order that one seed decides
``_on_device.py``         all samples on the GPU at once, where there is room
``_engines.py``           the few words in which our engine and torch's differ
``_counted.py``           which targets count: those that the loss does not ignore
``_watch.py``             early warnings: labels out of range, a loss that is not finite, answers by chance
``_parts.py``             one step in several parts, where memory does not hold the batch
``_checkpoint.py``        everything a run is, in one file that is never half written
``_state.py``             all that a run is, packed for that file; and a run brought back to it
``_plain.py``             Python's own data as JSON that comes back as it was
``_same_run.py``          what makes a run the one that a checkpoint was written by
``_trace.py``             where an iterable stands in its epoch
``_processes.py``         several processes that do one step together
========================  ================================================================================
"""

from cnnlib.training._watch import TrainingWarning
from cnnlib.training.augment import mirror, shift
from cnnlib.training.evaluate import Evaluation, confusion_matrix, evaluate
from cnnlib.training.fit import fit
from cnnlib.training.history import History
from cnnlib.training.judge import judge_imagenette, judge_published
from cnnlib.training.progress import Progress, text_bar
from cnnlib.training.top_error import top_error

__all__ = ["Evaluation", "History", "Progress", "TrainingWarning", "confusion_matrix", "evaluate", "fit",
           "judge_imagenette", "judge_published", "mirror", "shift", "text_bar", "top_error"]
