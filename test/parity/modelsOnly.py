"""Lets timm's models be imported where torchvision is absent or does not fit torch: only timm's data loaders need it."""
import importlib.abc
import importlib.machinery
import sys
import types


class _Stub(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision" or name.startswith("torchvision."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []
        module.__version__ = "0.0"
        module.__getattr__ = lambda name: _placeholder(name)
        return module

    def exec_module(self, module):
        pass


def _placeholder(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {k: i for i, k in enumerate(["NEAREST", "LANCZOS", "BILINEAR", "BICUBIC", "BOX", "HAMMING"])})


sys.meta_path.insert(0, _Stub())
