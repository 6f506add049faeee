//! The instructions of pickle, protocols 0 to 5, as far as state dicts use them.

use super::{Callable, Id, MAX_STEPS, Object, Pickle, PickleError, Value, call};
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
    pub objects: Vec<Object>,
}

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
        }
    }

    pub fn run(mut self) -> Result<Pickle> {
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
            // PROTO and FRAME say nothing that matters here.
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'I' | b'K' | b'M' | b'J' | b'L' | 0x8a | 0x8b => self.integer(opcode)?,
            b'F' => {
                let number = self.line()?.parse();
                let number = number.map_err(|_| self.malformed("a number"))?;
                self.stack.push(Value::Float(number));
            }
            b'G' => {
                let number = f64::from_be_bytes(self.array()?);
                self.stack.push(Value::Float(number));
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
                let callable = find(self.line()?, self.line()?)?;
                self.value(Value::Callable(callable))?;
            }
            0x93 => {
                let start = self.below(2)?;
                let names = self.stack.split_off(start);
                let text = |value| call::text(&self.objects, value);
                let (Some(module), Some(name)) = (text(names[0]), text(names[1])) else {
                    return Err(self.malformed("the name of a function"));
                };
                let callable = find(module, name)?;
                self.value(Value::Callable(callable))?;
            }
            b'R' | b'b' | b'Q' => self.call(opcode)?,
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
                let number = line.strip_suffix('L').unwrap_or(line).parse();
                number.map_err(|_| self.malformed("an integer"))?
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
                let inner = line.get(1..line.len().max(2) - 1).unwrap_or("");
                if line.len() < 2 || inner.contains('\\') {
                    return Err(self.malformed("a plain string"));
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
                    // Bytes that Python 2 called a string.
                    Err(_) if matches!(opcode, b'U' | b'T') => return self.push(Object::Opaque),
                    Err(_) => return Err(self.malformed("text in UTF-8")),
                }
            }
        };
        let text = Object::Text(text.to_owned());
        self.push(text)
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
        self.memo.insert(index, value);
        Ok(())
    }

    /// `REDUCE`, `BUILD` and `BINPERSID`.
    fn call(&mut self, opcode: u8) -> Result<()> {
        let argument = self.pop()?;
        let result = match opcode {
            b'Q' => call::storage(&mut self.objects, argument),
            b'R' => match self.pop()? {
                Value::Callable(callable) => call::reduce(callable, &mut self.objects, argument),
                _ => Err("a function"),
            },
            // An OrderedDict may carry attributes (`_metadata`); nothing needs them.
            _ => match self.top()? {
                Value::Object(Id(id)) if matches!(self.objects[id as usize], Object::Dict(_)) => {
                    return Ok(());
                }
                _ => Err("a dictionary to attach attributes to"),
            },
        };
        let value = result.map_err(|expected| self.malformed(expected))?;
        self.value(value)
    }

    fn append(&mut self, items: Vec<Value>) -> Result<()> {
        match self.target()? {
            Some(Object::List(list)) => {
                list.extend(items);
                Ok(())
            }
            _ => Err(self.malformed("a list to append to")),
        }
    }

    fn set(&mut self, items: Vec<Value>) -> Result<()> {
        let pairs = self.pairs(items)?;
        match self.target()? {
            Some(Object::Dict(entries)) => {
                entries.extend(pairs);
                Ok(())
            }
            _ => Err(self.malformed("a dictionary to write to")),
        }
    }

    fn target(&mut self) -> Result<Option<&mut Object>> {
        Ok(match self.top()? {
            Value::Object(Id(id)) => Some(&mut self.objects[id as usize]),
            _ => None,
        })
    }

    fn pairs(&self, items: Vec<Value>) -> Result<Vec<(Value, Value)>> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.malformed("a value for every key"));
        }
        Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
    }

    fn push(&mut self, object: Object) -> Result<()> {
        let value = call::add(&mut self.objects, object);
        self.value(value)
    }

    fn value(&mut self, value: Value) -> Result<()> {
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

fn find(module: &str, name: &str) -> Result<Callable> {
    let callable = Callable::find(module, name);
    callable.ok_or_else(|| PickleError::Global(format!("{module}.{name}")))
}
