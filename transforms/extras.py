"""What to say about a package that is not installed: its extra, and how to install it."""

from importlib.metadata import PackageNotFoundError, distribution

DISTRIBUTION = "mask-depth-dataset"


def needs(package: str, extra: str) -> str:
    """What to do about a missing package.

    Args:
        package: its name as people know it, such as `PyTorch`.
        extra: the extra of this distribution that has it.

    Returns:
        Words that follow the name of what needs the package, such as
        `needs PyTorch, which the extra torch has: pip install 'mask-depth-dataset[torch]'`.
    """
    return f"needs {package}, which the extra {extra} has: {install_command(extra)}"


def install_command(extra: str) -> str:
    """A pip command that adds an extra to the installed distribution, or to the checkout."""
    try:
        distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return f"pip install -e '.[{extra}]' in the checkout"
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def missing(module: str, package: str, extra: str) -> BaseException:
    """The error of a module that cannot be imported because a package is missing.

    Args:
        module: its `__name__`.
        package: as `needs` takes it.
        extra: the same.

    Returns:
        ImportError; SystemExit for a program, which then ends with one line.
    """
    if module == "__main__":
        return SystemExit(f"this program {needs(package, extra)}")
    return ImportError(f"{module} {needs(package, extra)}")
