"""A page as people meet it: text, headings, links, forms with labels, and what is said to them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "input", "br", "wbr", "hr", "img"})
INLINE = frozenset({"a", "b", "span", "strong", "small", "time", "label", "button", "wbr"})
UNSEEN = frozenset({"head", "script", "style", "option", "textarea"})

Fields = Mapping[str, str | bool]
"""What to enter, by label; a tick is True or False."""


@dataclass(eq=False)
class Element:
    """A part of a page."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    def get(self, name: str) -> str:
        """An attribute; empty where it is missing or has no value."""
        return self.attributes.get(name, "")

    def has(self, name: str) -> bool:
        """Return whether it has the attribute, with whatever value."""
        return name in self.attributes

    def walk(self) -> Iterator["Element"]:
        """This element and all inside it, in the order of the page, without what is hidden."""
        if self.has("hidden"):
            return
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, *tags: str) -> list["Element"]:
        """Every element inside with one of these tags."""
        return [each for each in self.walk() if each.tag in tags]

    @property
    def text(self) -> str:
        """The text that stands there to read, every run of white space as one blank."""
        return " ".join(_raw_text(self).split())

    @property
    def value(self) -> str:
        """The value of a control: of a textarea its text, of a select what is chosen."""
        if self.tag == "textarea":
            # HTML drops the line break right after the tag.
            return "".join(str(child) for child in self.children).removeprefix("\n")
        if self.tag == "select":
            options = self.all("option")
            chosen = next((each for each in options if each.has("selected")), options[0])
            return chosen.get("value")
        return self.get("value")


def _raw_text(part: Element | str) -> str:
    if isinstance(part, str):
        return part
    if part.tag in UNSEEN or part.has("hidden"):
        return ""
    inside = "".join(map(_raw_text, part.children))
    return inside if part.tag in INLINE else f" {inside} "


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        # What is not closed in order is a fault of the page that a browser would paper over.
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


class Form:
    """A form, found by the name of the button that sends it."""

    def __init__(self, element: Element, button: Element) -> None:
        self.method = element.get("method") or "get"
        self.action = element.get("action")
        self._element = element
        self._button = button

    def filled(self, fields: Fields) -> list[tuple[str, str]]:
        """The pairs that a browser sends when `fields` are entered and the button is pressed."""
        entered = {id(self.control(label)): value for label, value in fields.items()}
        pairs = []
        for control in self._element.all("input", "textarea", "select"):
            value = entered.get(id(control), control.value)
            if control.get("type") == "checkbox":
                ticked = entered.get(id(control), control.has("checked"))
                pairs += [(control.get("name"), control.value)] if ticked else []
            elif control.get("name"):
                pairs.append((control.get("name"), str(value).replace("\n", "\r\n")))
        if self._button.has("name"):
            pairs.append((self._button.get("name"), self._button.get("value")))
        return pairs

    def control(self, label: str) -> Element:
        """The control that people know by `label`."""
        labels = [each for each in self._element.all("label") if each.text == label]
        assert len(labels) == 1, f"{len(labels)} labels read {label!r}"
        named = labels[0].get("for")
        inside = self._element if named else labels[0]
        return next(
            control
            for control in inside.all("input", "textarea", "select")
            if not named or control.get("id") == named
        )

    def options(self, label: str) -> Mapping[str, str]:
        """Return the values that a select offers, by what is read."""
        return {
            " ".join("".join(map(str, option.children)).split()): option.get("value")
            for option in self.control(label).all("option")
        }


class Page:
    """The answer of an address to a person."""

    def __init__(self, status: int, url: str, html: str) -> None:
        builder = _Builder()
        builder.feed(html)
        self.status = status
        self.url = url
        self.root = builder.root

    @property
    def text(self) -> str:
        """All that can be read on it."""
        return self.root.text

    @property
    def heading(self) -> str:
        """Its one first heading."""
        (heading,) = self.root.all("h1")
        return heading.text

    @property
    def title(self) -> str:
        """The title that the browser's tab shows."""
        (title,) = self.root.all("title")
        return "".join(map(str, title.children))

    def link(self, name: str) -> str:
        """Return where the link called `name` leads; the first, if several are called so."""
        links = [each for each in self.root.all("a") if each.text == name]
        assert links, f"no link {name!r} on {self.url}: {self.text}"
        return links[0].get("href")

    def has_link(self, name: str) -> bool:
        """Return whether there is a link called `name`."""
        return any(each.text == name for each in self.root.all("a"))

    def form(self, button: str) -> Form:
        """The form that the button called `button` sends."""
        for form in self.root.all("form"):
            for each in form.all("button"):
                if each.text == button:
                    return Form(form, each)
        raise AssertionError(f"no button {button!r} on {self.url}: {self.text}")

    def has_button(self, name: str) -> bool:
        """Return whether there is a button called `name`."""
        return any(each.text == name for each in self.root.all("button"))

    def value(self, label: str, button: str) -> str:
        """Return what stands in the field called `label` of the form that `button` sends."""
        return self.form(button).control(label).value

    def said(self, role: str) -> str:
        """Return what the parts with this role say to the person: alert or status."""
        return " ".join(each.text for each in self.root.walk() if each.get("role") == role)

    def error(self, label: str, button: str) -> str:
        """Return what is wrong with a field: what its description says in the class for errors."""
        control = self.form(button).control(label)
        if control.get("aria-invalid") != "true":
            return ""
        described = control.get("aria-describedby").split()
        return " ".join(
            each.text
            for each in self.root.walk()
            if each.get("id") in described and re.search(r"\berror\b", each.get("class"))
        )

    def rows(self) -> list[list[str]]:
        """The rows of its tables, the text of each cell."""
        return [[cell.text for cell in row.all("th", "td")] for row in self.root.all("tr")]
