"""What a widget says after each of several changes that its page refuses."""


def refused(make, changes, answers, plain):
    """Return the answers of a fresh widget for each change, a dict of traits that are set one by one."""
    found = []
    for change in changes:
        widget = make()
        for name, value in change.items():
            setattr(widget, name, value)
        found.append(answers(widget, plain))
    return found
