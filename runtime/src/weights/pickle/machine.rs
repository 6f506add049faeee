//! The instructions of pickle, protocols 0 to 5.

use super::super::error::{MAX_STEPS, PickleError};
use super::{Callable, Id, Object, Pickle, Value, call};
use std::collections::HashMap;

/// A pickle that is being read.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    /// Offset of the next byte.
    at: usize,
    /// Offset of the instruction that is being run.
    here: usize,
    stack: Vec<Value>,
    /// Lengths of the stack where `MARK` stood.
    marks: Vec<usize>,
    /// Numbered by the file: a map, so that a huge number costs nothing.
    memo: HashMap<u64, Value>,
    objects: Vec<Object<'a>>,
    /// Bytes of memory that may still be taken.
    room: usize,
    /// Most values that were on the stack.
    highest: usize,
}

/// Bytes of memory that any pickle may take, beside as many as it has: a tensor takes about two kilobytes.
const ROOM: usize = 40 << 20;

/// What a thing costs of the room: vectors grow by doubling.
const fn cost<T>() -> usize {
    2 * size_of::<T>()
}

/// A value in a map has its key, and empty places around it.
const MEMO: usize = 3 * size_of::<(u64, Value)>();

type Result<T> = std::result::Result<T, PickleError>;

impl<'a> Machine<'a> {
    pub fn new(bytes: &'a [u8]) -> Machine<'a> {
        Machine {
            bytes,
            at: 0,
            here: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            objects: Vec::new(),
            room: ROOM + bytes.len(),
            highest: 0,
        }
    }

    pub fn run(mut self) -> Result<Pickle<'a>> {
        for _ in 0..MAX_STEPS {
            self.here = self.at;
            let opcode = self.byte()?;
            if opcode == b'.' {
                return Ok(Pickle {
                    root: self.pop()?,
                    objects: self.objects,
                    len: self.at,
                });
            }
            self.step(opcode)?;
        }
        Err(PickleError::TooLong)
    }

    fn step(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            // PROTO, FRAME and READONLY_BUFFER say nothing that matters here.
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            0x98 => {}
            b'(' => {
                self.charge(cost::<usize>())?;
                self.marks.push(self.stack.len());
            }
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.value(top)?;
            }
            b'N' => self.value(Value::None)?,
            0x88 => self.value(Value::Bool(true))?,
            0x89 => self.value(Value::Bool(false))?,
            b'I' | b'K' | b'M' | b'J' | b'L' | 0x8a | 0x8b => self.integer(opcode)?,
            b'F' => {
                let number = self.line()?.parse();
                let number = number.map_err(|_| self.malformed("a number"))?;
                self.value(Value::Float(number))?;
            }
            b'G' => {
                let number = f64::from_be_bytes(self.array()?);
                self.value(Value::Float(number))?;
            }
            b'V' | b'X' | 0x8c | 0x8d | b'U' | b'T' | b'S' => self.string(opcode)?,
            b'B' | b'C' | 0x8e | 0x96 => {
                let width = match opcode {
                    b'B' => 4,
                    b'C' => 1,
                    _ => 8,
                };
                self.counted(width)?;
                self.push(Object::Opaque)?;
            }
            b']' => self.push(Object::List(Vec::new()))?,
            b')' => self.push(Object::Tuple(Vec::new()))?,
            b'}' => self.push(Object::Dict(Vec::new()))?,
            // What is in a set, nothing looks at.
            0x8f => self.push(Object::Foreign("builtins", "set"))?,
            0x90 => {
                self.pop_to_mark()?;
                self.top()?;
            }
            0x91 => {
                self.pop_to_mark()?;
                self.push(Object::Foreign("builtins", "frozenset"))?;
            }
            b'l' => {
                let items = self.pop_to_mark()?;
                self.push(Object::List(items))?;
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Object::Tuple(items))?;
            }
            0x85..=0x87 => {
                let start = self.below(usize::from(opcode - 0x84))?;
                let items = self.stack.split_off(start);
                self.push(Object::Tuple(items))?;
            }
            b'd' => {
                let entries = self.pop_to_mark()?;
                let entries = self.pairs(entries)?;
                self.push(Object::Dict(entries))?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            b's' => {
                let start = self.below(2)?;
                let entry = self.stack.split_off(start);
                self.set(entry)?;
            }
            b'u' => {
                let entries = self.pop_to_mark()?;
                self.set(entries)?;
            }
            b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.memo(opcode)?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.named(module, name)?;
            }
            0x93 => {
                let start = self.below(2)?;
                let names = self.stack.split_off(start);
                let text = |value| call::text(&self.objects, value);
                let (Some(module), Some(name)) = (text(names[0]), text(names[1])) else {
                    return Err(self.malformed("the name of a function"));
                };
                self.named(module, name)?;
            }
            b'R' | b'b' | b'Q' | 0x81 | 0x92 => self.call(opcode)?,
            // OBJ and INST: a type and its arguments.
            b'o' => {
                let items = self.pop_to_mark()?;
                let (&of_type, arguments) = match items.split_first() {
                    Some(split) => split,
                    None => return Err(self.malformed("a type")),
                };
                self.make(of_type, arguments)?;
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                self.pop_to_mark()?;
                self.push(Object::Foreign(module, name))?;
            }
            // PERSID, the registry of extensions and buffers outside of the file: nothing that a storage is named by.
            b'P' => {
                self.line()?;
                self.push(Object::Foreign("", "a persistent id"))?;
            }
            0x82..=0x84 => {
                self.take(1 << (opcode - 0x82))?;
                self.push(Object::Foreign("", "an extension of pickle"))?;
            }
            0x97 => self.push(Object::Foreign("", "a buffer outside of the file"))?,
            opcode => {
                let at = self.here;
                return Err(PickleError::Opcode { opcode, at });
            }
        }
        Ok(())
    }

    fn integer(&mut self, opcode: u8) -> Result<()> {
        let number = match opcode {
            b'K' => i64::from(self.byte()?),
            b'M' => i64::from(u16::from_le_bytes(self.array()?)),
            b'J' => i64::from(i32::from_le_bytes(self.array()?)),
            0x8a | 0x8b => {
                let bytes = self.counted(if opcode == 0x8a { 1 } else { 4 })?;
                if bytes.len() > 8 {
                    return self.push(Object::Opaque);
                }
                let negative = bytes.last().is_some_and(|&last| last >= 0x80);
                let mut whole = [if negative { 0xff } else { 0 }; 8];
                whole[..bytes.len()].copy_from_slice(bytes);
                i64::from_le_bytes(whole)
            }
            _ => {
                let line = self.line()?;
                match (opcode, line) {
                    (b'I', "00") => return self.value(Value::Bool(false)),
                    (b'I', "01") => return self.value(Value::Bool(true)),
                    _ => {}
                }
                let digits = line.strip_suffix('L').unwrap_or(line);
                match digits.parse() {
                    Ok(number) => number,
                    Err(error) if is_long(&error) => return self.push(Object::Opaque),
                    Err(_) => return Err(self.malformed("an integer")),
                }
            }
        };
        self.value(Value::Int(number))
    }

    fn string(&mut self, opcode: u8) -> Result<()> {
        let text = match opcode {
            b'V' => self.line()?,
            // Protocol 0 quotes what Python 2 called a string.
            b'S' => {
                let line = self.line()?;
                let inner = line.get(1..line.len().max(2) - 1);
                let inner = inner.ok_or_else(|| self.malformed("a string"))?;
                if inner.contains('\\') {
                    return self.push(Object::Opaque);
                }
                inner
            }
            _ => {
                let width = match opcode {
                    0x8c | b'U' => 1,
                    0x8d => 8,
                    _ => 4,
                };
                let bytes = self.counted(width)?;
                match str::from_utf8(bytes) {
                    Ok(text) => text,
                    // Bytes that Python 2 called a string, and halves of characters.
                    Err(_) => return self.push(Object::Opaque),
                }
            }
        };
        self.push(Object::Text(text))
    }

    fn memo(&mut self, opcode: u8) -> Result<()> {
        let index = match opcode {
            b'q' | b'h' => u64::from(self.byte()?),
            b'r' | b'j' => u64::from(u32::from_le_bytes(self.array()?)),
            0x94 => self.memo.len() as u64,
            _ => {
                let index = self.line()?.parse();
                index.map_err(|_| self.malformed("a memo's number"))?
            }
        };
        if matches!(opcode, b'g' | b'h' | b'j') {
            let value = self.memo.get(&index).copied();
            let value = value.ok_or_else(|| self.malformed("a value that was kept before"))?;
            return self.value(value);
        }
        let value = self.top()?;
        if self.memo.insert(index, value).is_none() {
            self.charge(MEMO)?;
        }
        Ok(())
    }

    /// `REDUCE`, `BUILD`, `BINPERSID`, `NEWOBJ` and `NEWOBJ_EX`.
    fn call(&mut self, opcode: u8) -> Result<()> {
        let argument = self.pop()?;
        let result = match opcode {
            b'Q' => call::storage(&mut self.objects, argument),
            b'R' => {
                let callable = self.pop()?;
                if let Value::Callable(callable) = callable {
                    call::reduce(callable, &mut self.objects, argument)
                } else {
                    let arguments = match call::object(&self.objects, argument) {
                        // None that is looked at has more.
                        Some(Object::Tuple(items)) if items.len() <= 3 => items.clone(),
                        _ => Vec::new(),
                    };
                    return self.make(callable, &arguments);
                }
            }
            // Type and arguments, and for the second arguments with names.
            0x81 | 0x92 => {
                if opcode == 0x92 {
                    self.pop()?;
                }
                let of_type = self.pop()?;
                return self.make(of_type, &[]);
            }
            // Attributes, such as the `_metadata` of a state dict: nothing needs them.
            _ => return self.top().map(drop),
        };
        let value = result.map_err(|expected| self.malformed(expected))?;
        if let Some(Object::Tensor(tensor)) = call::object(&self.objects, value) {
            let extents = 2 * tensor.shape.len() * size_of::<usize>();
            self.charge(size_of::<call::Tensor>() + extents)?;
        }
        self.charge(cost::<Object<'_>>())?;
        self.value(value)
    }

    /// Pushes what a call of a function that is not known, or a new object of a type, would have made.
    fn make(&mut self, callable: Value, arguments: &[Value]) -> Result<()> {
        if let Some(contents) = call::contents(&self.objects, callable, arguments) {
            return self.value(contents);
        }
        let made = match callable {
            // A dictionary is empty until its entries follow.
            Value::Callable(Callable::Dict | Callable::DefaultDict) => Object::Dict(Vec::new()),
            Value::Callable(_) => Object::Opaque,
            _ => match call::foreign(&self.objects, callable, arguments) {
                Some(made) => made,
                None => return Err(self.malformed("a function")),
            },
        };
        self.push(made)
    }

    fn named(&mut self, module: &'a str, name: &'a str) -> Result<()> {
        match Callable::find(module, name) {
            Some(callable) => self.value(Value::Callable(callable)),
            None => self.push(Object::Named(module, name)),
        }
    }

    /// Takes memory from what there is room for.
    fn charge(&mut self, bytes: usize) -> Result<()> {
        let left = self.room.checked_sub(bytes);
        self.room = left.ok_or(PickleError::TooLarge)?;
        Ok(())
    }

    fn append(&mut self, items: Vec<Value>) -> Result<()> {
        self.charge(items.len() * cost::<Value>())?;
        let Value::Object(Id(id)) = self.top()? else {
            return Err(self.malformed("a list to append to"));
        };
        match &mut self.objects[id as usize] {
            Object::List(list) => list.extend(items),
            // A list of a type that is not known.
            object @ Object::Foreign(..) => *object = Object::List(items),
            _ => return Err(self.malformed("a list to append to")),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<Value>) -> Result<()> {
        self.charge(items.len() * cost::<Value>())?;
        let pairs = self.pairs(items)?;
        let Value::Object(Id(id)) = self.top()? else {
            return Err(self.malformed("a dictionary to write to"));
        };
        match &mut self.objects[id as usize] {
            Object::Dict(entries) => entries.extend(pairs),
            // A dictionary of a type that is not known.
            object @ Object::Foreign(..) => *object = Object::Dict(pairs),
            _ => return Err(self.malformed("a dictionary to write to")),
        }
        Ok(())
    }

    fn pairs(&self, items: Vec<Value>) -> Result<Vec<(Value, Value)>> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.malformed("a value for every key"));
        }
        Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
    }

    fn push(&mut self, object: Object<'a>) -> Result<()> {
        let items = match &object {
            Object::Tuple(items) | Object::List(items) => items.len(),
            Object::Dict(entries) => 2 * entries.len(),
            _ => 0,
        };
        self.charge(cost::<Object<'_>>() + items * size_of::<Value>())?;
        let value = call::add(&mut self.objects, object);
        self.value(value)
    }

    fn value(&mut self, value: Value) -> Result<()> {
        if self.stack.len() == self.highest {
            self.highest += 1;
            self.charge(cost::<Value>())?;
        }
        self.stack.push(value);
        Ok(())
    }

    /// Index of the value `count` below the top, above the last mark.
    fn below(&self, count: usize) -> Result<usize> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(index) if index >= floor => Ok(index),
            _ => Err(self.malformed("more values on the stack")),
        }
    }

    fn top(&self) -> Result<Value> {
        Ok(self.stack[self.below(1)?])
    }

    fn pop(&mut self) -> Result<Value> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => Err(self.malformed("a mark on the stack")),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let taken = self.bytes[self.at..].get(..count);
        let taken = taken.ok_or(PickleError::Truncated)?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// As many bytes as the next `width` bytes say.
    fn counted(&mut self, width: usize) -> Result<&'a [u8]> {
        let mut count = [0; 8];
        count[..width].copy_from_slice(self.take(width)?);
        let count = u64::from_le_bytes(count);
        self.take(usize::try_from(count).map_err(|_| PickleError::Truncated)?)
    }

    /// The text up to the next line break.
    fn line(&mut self) -> Result<&'a str> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = self.take(end.ok_or(PickleError::Truncated)?)?;
        self.at += 1;
        str::from_utf8(line).map_err(|_| self.malformed("text in UTF-8"))
    }

    fn malformed(&self, expected: &'static str) -> PickleError {
        let at = self.here;
        PickleError::Malformed { expected, at }
    }
}

/// Whether a number has digits only, but too many.
fn is_long(error: &std::num::ParseIntError) -> bool {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    matches!(error.kind(), PosOverflow | NegOverflow)
}
